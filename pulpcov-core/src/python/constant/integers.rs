//! Integers of any size, as in CPython's `longobject.c`, with the limits of its optimizer.

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{Signed, ToPrimitive, Zero};
use ruff_python_ast::Operator;

use super::reals;
use super::value::Constant;

/// The most bits that the optimizer lets a product, a power or a shift have (`MAX_INT_SIZE`).
const MAX_BITS: u64 = 128;

/// Evaluates an operator. Returns `None` if Python raises an error, or if the optimizer leaves the
/// operator to run time because the result would be large (`safe_multiply` and its like in
/// `ast_opt.c`).
pub(super) fn evaluate(op: Operator, a: BigInt, b: &BigInt) -> Option<Constant> {
    Some(Constant::Int(match op {
        Operator::Add => a + b,
        Operator::Sub => a - b,
        Operator::Mult => {
            let is_large = !a.is_zero() && !b.is_zero() && a.bits() + b.bits() > MAX_BITS;
            (!is_large).then(|| a * b)?
        }
        Operator::Div | Operator::FloorDiv | Operator::Mod if b.is_zero() => return None,
        Operator::Div => return quotient(&a, b).map(Constant::Float),
        Operator::FloorDiv => a.div_floor(b),
        Operator::Mod => a.mod_floor(b),
        Operator::Pow => return power(&a, b),
        Operator::LShift | Operator::RShift if b.is_negative() => return None,
        Operator::LShift if a.is_zero() => a,
        Operator::LShift => {
            let by = b.to_u64()?;
            (by <= MAX_BITS && a.bits() <= MAX_BITS - by).then(|| a << by)?
        }
        // A shift by more bits than there are leaves 0 or -1.
        Operator::RShift => {
            let by = b.to_u64().unwrap_or(u64::MAX).min(a.bits() + 1);
            a >> by
        }
        Operator::BitOr => a | b,
        Operator::BitXor => a ^ b,
        Operator::BitAnd => a & b,
        Operator::MatMult => return None,
    }))
}

/// Divides into a float. Both numbers can be too large for one.
fn quotient(a: &BigInt, b: &BigInt) -> Option<f64> {
    /// A float holds numbers of 1,024 bits.
    const ENOUGH: u64 = 1000;
    let excess = a.bits().max(b.bits()).saturating_sub(ENOUGH);
    let value = (a >> excess).to_f64()? / (b >> excess).to_f64()?;
    value.is_finite().then_some(value)
}

fn power(a: &BigInt, b: &BigInt) -> Option<Constant> {
    if b.is_negative() {
        let (a, b) = (Constant::Int(a.clone()), Constant::Int(b.clone()));
        return reals::evaluate(Operator::Pow, a.as_float()?, b.as_float()?);
    }
    if !a.is_zero() && !b.is_zero() && a.bits() > MAX_BITS / b.to_u64()? {
        return None;
    }
    let exponent = if a.is_zero() { u32::from(!b.is_zero()) } else { b.to_u32()? };
    Some(Constant::Int(a.pow(exponent)))
}
