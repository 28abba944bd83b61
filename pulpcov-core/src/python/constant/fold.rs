//! Evaluates expressions of constants (`astfold_expr` in CPython's `ast_opt.c`).

use num_bigint::BigInt;
use num_traits::ToPrimitive;
use ruff_python_ast::{Expr, Int, Number, Operator, UnaryOp};

use super::complex::{self, Complex};
use super::value::Constant;
use super::{integers, reals};

/// Evaluates an expression like CPython. Returns `None` if CPython leaves it to run time.
pub(crate) fn fold(expr: &Expr) -> Option<Constant> {
    Some(match expr {
        Expr::NoneLiteral(_) => Constant::None,
        Expr::EllipsisLiteral(_) => Constant::Ellipsis,
        Expr::BooleanLiteral(literal) => Constant::Bool(literal.value),
        Expr::StringLiteral(literal) => Constant::Str(literal.value.to_str().to_owned()),
        Expr::BytesLiteral(literal) => Constant::Bytes(literal.value.bytes().collect()),
        Expr::NumberLiteral(literal) => match &literal.value {
            Number::Int(value) => Constant::Int(integer(value)?),
            Number::Float(value) => Constant::Float(*value),
            Number::Complex { real, imag } => Constant::Complex(Complex { re: *real, im: *imag }),
        },
        // This assumes that Python runs without `-O`.
        Expr::Name(name) if name.id.as_str() == "__debug__" => Constant::Bool(true),
        Expr::Tuple(tuple) => {
            Constant::Tuple(tuple.elts.iter().map(fold).collect::<Option<Vec<_>>>()?)
        }
        Expr::UnaryOp(unary) => fold_unary(unary.op, fold(&unary.operand)?)?,
        Expr::BinOp(_) => fold_binary_chain(expr)?,
        Expr::Subscript(subscript) => {
            fold_subscript(&fold(&subscript.value)?, &fold(&subscript.slice)?)?
        }
        _ => return None,
    })
}

/// Returns the value of an integer literal. Those of more than 64 bits are text.
fn integer(value: &Int) -> Option<BigInt> {
    if let Some(value) = value.as_u64() {
        return Some(BigInt::from(value));
    }
    let text = value.to_string().replace('_', "").to_ascii_lowercase();
    let (digits, radix) = match text.get(..2) {
        Some("0x") => (text.get(2..)?, 16),
        Some("0o") => (text.get(2..)?, 8),
        Some("0b") => (text.get(2..)?, 2),
        _ => (text.as_str(), 10),
    };
    BigInt::parse_bytes(digits.as_bytes(), radix)
}

fn fold_unary(op: UnaryOp, operand: Constant) -> Option<Constant> {
    Some(match (op, operand) {
        (UnaryOp::Not, value) => Constant::Bool(!value.is_true()),
        (UnaryOp::UAdd, value @ (Constant::Float(_) | Constant::Complex(_))) => value,
        (UnaryOp::USub, Constant::Float(value)) => Constant::Float(-value),
        (UnaryOp::USub, Constant::Complex(value)) => {
            Constant::Complex(Complex { re: -value.re, im: -value.im })
        }
        (UnaryOp::UAdd, value) => Constant::Int(value.as_int()?),
        (UnaryOp::USub, value) => Constant::Int(-value.as_int()?),
        (UnaryOp::Invert, value) => Constant::Int(!value.as_int()?),
    })
}

/// Evaluates a chain of operators without recursion, because a chain can be thousands of operators
/// long.
fn fold_binary_chain(expr: &Expr) -> Option<Constant> {
    let mut operations = Vec::new();
    let mut leftmost = expr;
    while let Expr::BinOp(binary) = leftmost {
        operations.push((binary.op, &*binary.right));
        leftmost = &binary.left;
    }
    operations
        .iter()
        .rev()
        .try_fold(fold(leftmost)?, |left, (op, right)| fold_binary(*op, left, &fold(right)?))
}

fn fold_binary(op: Operator, left: Constant, right: &Constant) -> Option<Constant> {
    match (op, &left, right) {
        (Operator::BitAnd, Constant::Bool(a), Constant::Bool(b)) => Some(Constant::Bool(a & b)),
        (Operator::BitOr, Constant::Bool(a), Constant::Bool(b)) => Some(Constant::Bool(a | b)),
        (Operator::BitXor, Constant::Bool(a), Constant::Bool(b)) => Some(Constant::Bool(a ^ b)),
        (Operator::Add, Constant::Str(a), Constant::Str(b)) => {
            Some(Constant::Str(format!("{a}{b}")))
        }
        (Operator::Add, Constant::Bytes(a), Constant::Bytes(b)) => {
            Some(Constant::Bytes([a.as_slice(), b].concat()))
        }
        (Operator::Add, Constant::Tuple(a), Constant::Tuple(b)) => {
            Some(Constant::Tuple([a.as_slice(), b].concat()))
        }
        (Operator::Mult, sequence, count) | (Operator::Mult, count, sequence)
            if count.is_int() && is_sequence(sequence) =>
        {
            repeat(sequence, &count.as_int()?)
        }
        (_, Constant::Complex(_), _) | (_, _, Constant::Complex(_)) => {
            complex::evaluate(op, left.as_complex()?, right.as_complex()?).map(Constant::Complex)
        }
        (_, Constant::Float(_), _) | (_, _, Constant::Float(_)) => {
            reals::evaluate(op, left.as_float()?, right.as_float()?)
        }
        _ => {
            let left = match left {
                Constant::Int(value) => value,
                other => other.as_int()?,
            };
            integers::evaluate(op, left, &right.as_int()?)
        }
    }
}

fn is_sequence(value: &Constant) -> bool {
    matches!(value, Constant::Str(_) | Constant::Bytes(_) | Constant::Tuple(_))
}

/// Repeats a sequence unless the result would be large or the count is negative, like CPython's
/// `safe_multiply`.
fn repeat(sequence: &Constant, count: &BigInt) -> Option<Constant> {
    const MAX_STRING: usize = 4096;
    const MAX_TUPLE: usize = 256;
    const MAX_ITEMS: usize = 1024;
    let length = match sequence {
        Constant::Str(s) => s.chars().count(),
        Constant::Bytes(b) => b.len(),
        Constant::Tuple(t) => t.len(),
        _ => return None,
    };
    // Even an empty sequence can be repeated only as often as the index of an item can say.
    let count = count.to_i64()?;
    if length == 0 {
        return Some(sequence.clone());
    }
    let count = usize::try_from(count).ok()?;
    let fits = |max: usize| count <= max / length;
    match sequence {
        Constant::Str(s) if fits(MAX_STRING) => Some(Constant::Str(s.repeat(count))),
        Constant::Bytes(b) if fits(MAX_STRING) => Some(Constant::Bytes(b.repeat(count))),
        Constant::Tuple(t) if fits(MAX_TUPLE) => {
            let is_small = count == 0 || items(sequence) <= MAX_ITEMS / count;
            is_small.then(|| Constant::Tuple(vec![t.as_slice(); count].concat()))
        }
        _ => None,
    }
}

/// Counts the items of a tuple, and those of the tuples in it.
fn items(value: &Constant) -> usize {
    match value {
        Constant::Tuple(parts) => parts.len() + parts.iter().map(items).sum::<usize>(),
        _ => 0,
    }
}

fn fold_subscript(value: &Constant, index: &Constant) -> Option<Constant> {
    let index = index.as_int()?.to_i64()?;
    let position = |len: usize| {
        let len = i64::try_from(len).ok()?;
        usize::try_from(if index < 0 { index + len } else { index }).ok()
    };
    match value {
        Constant::Str(s) => {
            let c = s.chars().nth(position(s.chars().count())?)?;
            Some(Constant::Str(c.to_string()))
        }
        Constant::Bytes(b) => b.get(position(b.len())?).map(|b| Constant::Int(BigInt::from(*b))),
        Constant::Tuple(t) => t.get(position(t.len())?).cloned(),
        _ => None,
    }
}
