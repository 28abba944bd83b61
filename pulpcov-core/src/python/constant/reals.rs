//! Floats, as in CPython's `floatobject.c`.

use ruff_python_ast::Operator;

use super::complex::{self, Complex};
use super::value::Constant;

/// Evaluates an operator. Returns `None` if Python raises an error.
pub(super) fn evaluate(op: Operator, a: f64, b: f64) -> Option<Constant> {
    let value = match op {
        Operator::Add => a + b,
        Operator::Sub => a - b,
        Operator::Mult => a * b,
        Operator::Div | Operator::FloorDiv | Operator::Mod if b == 0.0 => return None,
        Operator::Div => a / b,
        Operator::FloorDiv => divide_with_rest(a, b).0,
        Operator::Mod => divide_with_rest(a, b).1,
        Operator::Pow => return power(a, b),
        _ => return None,
    };
    Some(Constant::Float(value))
}

/// Returns the floored quotient and the rest, which has the sign of the divisor (`_float_div_mod`).
fn divide_with_rest(a: f64, b: f64) -> (f64, f64) {
    let mut rest = a % b;
    let mut quotient = (a - rest) / b;
    if rest == 0.0 {
        rest = 0.0_f64.copysign(b);
    } else if (b < 0.0) != (rest < 0.0) {
        rest += b;
        quotient -= 1.0;
    }
    if quotient == 0.0 {
        return (0.0_f64.copysign(a / b), rest);
    }
    let floor = quotient.floor();
    (if quotient - floor > 0.5 { floor + 1.0 } else { floor }, rest)
}

/// Raises to a power (`float_pow`). A fractional power of a negative number is complex.
fn power(a: f64, b: f64) -> Option<Constant> {
    if a == 0.0 && b < 0.0 && b.is_finite() {
        return None;
    }
    if a < 0.0 && a.is_finite() && b.is_finite() && b.fract() != 0.0 {
        let (a, b) = (Complex { re: a, im: 0.0 }, Complex { re: b, im: 0.0 });
        return complex::evaluate(Operator::Pow, a, b).map(Constant::Complex);
    }
    let value = a.powf(b);
    let overflows = a.is_finite() && b.is_finite() && !value.is_finite();
    (!overflows).then_some(Constant::Float(value))
}
