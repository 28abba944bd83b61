//! Evaluates constant expressions as CPython's compiler does.
//!
//! CPython's optimizer evaluates operators on literals (`ast_opt.c` up to 3.13, `flowgraph.c` from
//! 3.14 on). Then it removes each conditional jump on a constant, or makes it unconditional. This
//! decides which statements are unreachable. So the main question is whether a condition can be
//! true, and whether it can be false.

use ruff_python_ast::{BoolOp, Expr, ExprFString, FStringPart, Number, Operator, UnaryOp};

use super::PythonVersion;
use crate::text::py_repr;

/// Whether a condition can be true, and whether it can be false.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) can_be_true: bool,
    pub(crate) can_be_false: bool,
}

impl Outcome {
    const OPEN: Self = Self { can_be_true: true, can_be_false: true };

    fn always(truth: bool) -> Self {
        Self { can_be_true: truth, can_be_false: !truth }
    }

    /// Returns the outcome of a condition, like the compiler's `codegen_jump_if`. It follows `not`,
    /// `and`, `or` and conditional expressions down to the values that the compiler tests one by
    /// one.
    pub(crate) fn of(test: &Expr, version: PythonVersion) -> Self {
        match test {
            Expr::UnaryOp(unary) if unary.op == UnaryOp::Not => {
                let inner = Self::of(&unary.operand, version);
                Self { can_be_true: inner.can_be_false, can_be_false: inner.can_be_true }
            }
            Expr::BoolOp(bool_op) => Self::of_bool_op(bool_op.op, &bool_op.values, version),
            Expr::If(choice) => {
                let of = |part: &Expr| Self::of(part, version);
                Self::of_choice(of(&choice.test), of(&choice.body), of(&choice.orelse))
            }
            Expr::FString(string) => Self::of_f_string(string, version),
            // From 3.14 on, jumps are optimized before operators and tuples are evaluated.
            _ if version >= PythonVersion::Py314 && !is_literal(test) => Self::OPEN,
            _ => fold(test).map_or(Self::OPEN, |constant| Self::always(constant.is_true())),
        }
    }

    fn of_bool_op(op: BoolOp, values: &[Expr], version: PythonVersion) -> Self {
        let (mut reached, mut decided) = (true, false);
        for value in values {
            let outcome = Self::of(value, version);
            let (decides, goes_on) = match op {
                BoolOp::And => (outcome.can_be_false, outcome.can_be_true),
                BoolOp::Or => (outcome.can_be_true, outcome.can_be_false),
            };
            decided |= reached && decides;
            reached &= goes_on;
        }
        match op {
            BoolOp::And => Self { can_be_true: reached, can_be_false: decided },
            BoolOp::Or => Self { can_be_true: decided, can_be_false: reached },
        }
    }

    /// Returns the outcome of an f-string. An f-string without replacement fields is a constant.
    /// Before 3.13, an empty one is not.
    fn of_f_string(string: &ExprFString, version: PythonVersion) -> Self {
        let literals = string.value.iter().flat_map(literals_of);
        match literals.collect::<Option<String>>() {
            Some(text) if !text.is_empty() => Self::always(true),
            Some(_) if version >= PythonVersion::Py313 => Self::always(false),
            _ => Self::OPEN,
        }
    }

    fn of_choice(test: Self, body: Self, orelse: Self) -> Self {
        Self {
            can_be_true: test.can_be_true && body.can_be_true
                || test.can_be_false && orelse.can_be_true,
            can_be_false: test.can_be_true && body.can_be_false
                || test.can_be_false && orelse.can_be_false,
        }
    }
}

fn is_literal(expr: &Expr) -> bool {
    expr.is_literal_expr() || matches!(expr, Expr::Name(name) if name.id.as_str() == "__debug__")
}

/// Returns the literal text in a part of an f-string, and `None` for each replacement field.
fn literals_of(part: &FStringPart) -> Vec<Option<&str>> {
    match part {
        FStringPart::Literal(literal) => vec![Some(&literal.value)],
        FStringPart::FString(string) => {
            let elements = string.elements.iter();
            elements.map(|e| e.as_literal().map(|literal| &*literal.value)).collect()
        }
    }
}

/// The value of an expression that the compiler evaluates.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Constant {
    None,
    Ellipsis,
    Bool(bool),
    Int(i128),
    /// An integer of more than 64 bits, as the text of its literal.
    BigInt(String),
    Float(f64),
    Complex(f64, f64),
    Str(String),
    Bytes(Vec<u8>),
    Tuple(Vec<Self>),
}

impl Constant {
    fn is_true(&self) -> bool {
        match self {
            Self::None => false,
            Self::Ellipsis | Self::BigInt(_) => true,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Complex(real, imaginary) => *real != 0.0 || *imaginary != 0.0,
            Self::Str(value) => !value.is_empty(),
            Self::Bytes(value) => !value.is_empty(),
            Self::Tuple(items) => !items.is_empty(),
        }
    }

    /// Compares values like Python's `==`, for which `1`, `1.0` and `True` are equal.
    pub(crate) fn equals(&self, other: &Self) -> bool {
        if let (Some(a), Some(b)) = (self.as_int(), other.as_int()) {
            return a == b;
        }
        match (self.as_float(), other.as_float()) {
            (Some(a), Some(b)) => a == b,
            _ => self == other,
        }
    }

    /// Returns Python's `repr` of the value.
    pub(crate) fn repr(&self) -> String {
        match self {
            Self::None => "None".to_owned(),
            Self::Ellipsis => "Ellipsis".to_owned(),
            Self::Bool(true) => "True".to_owned(),
            Self::Bool(false) => "False".to_owned(),
            Self::Int(value) => value.to_string(),
            Self::BigInt(digits) => digits.clone(),
            Self::Float(value) => format!("{value:?}"),
            Self::Complex(real, imag) if *real == 0.0 => format!("{imag}j"),
            Self::Complex(real, imag) => format!("({real}{imag:+}j)"),
            Self::Str(text) => py_repr(text),
            Self::Bytes(bytes) => {
                let latin: String = bytes.iter().map(|&b| char::from(b)).collect();
                format!("b{}", py_repr(&latin))
            }
            Self::Tuple(items) => {
                let items: Vec<String> = items.iter().map(Self::repr).collect();
                format!("({})", items.join(", "))
            }
        }
    }

    /// Returns the value of an integer. In Python, a `bool` is an integer.
    fn as_int(&self) -> Option<i128> {
        match self {
            Self::Bool(value) => Some(i128::from(*value)),
            Self::Int(value) => Some(*value),
            _ => None,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "Python's conversion rounds as well")]
    fn as_float(&self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(*value),
            _ => self.as_int().map(|value| value as f64),
        }
    }
}

/// Evaluates an expression like CPython's `astfold_expr`. Returns `None` if CPython leaves it to
/// run time. Unlike CPython, this evaluates no binary operators on complex numbers or on integers
/// of more than 64 bits.
pub(crate) fn fold(expr: &Expr) -> Option<Constant> {
    Some(match expr {
        Expr::NoneLiteral(_) => Constant::None,
        Expr::EllipsisLiteral(_) => Constant::Ellipsis,
        Expr::BooleanLiteral(literal) => Constant::Bool(literal.value),
        Expr::StringLiteral(literal) => Constant::Str(literal.value.to_str().to_owned()),
        Expr::BytesLiteral(literal) => Constant::Bytes(literal.value.bytes().collect()),
        Expr::NumberLiteral(literal) => match &literal.value {
            Number::Int(value) => match value.as_u64() {
                Some(value) => Constant::Int(i128::from(value)),
                None => Constant::BigInt(value.to_string()),
            },
            Number::Float(value) => Constant::Float(*value),
            Number::Complex { real, imag } => Constant::Complex(*real, *imag),
        },
        // This assumes that Python runs without `-O`.
        Expr::Name(name) if name.id.as_str() == "__debug__" => Constant::Bool(true),
        Expr::Tuple(tuple) => {
            Constant::Tuple(tuple.elts.iter().map(fold).collect::<Option<Vec<_>>>()?)
        }
        Expr::UnaryOp(unary) => fold_unary(unary.op, &fold(&unary.operand)?)?,
        Expr::BinOp(_) => fold_binary_chain(expr)?,
        Expr::Subscript(subscript) => {
            fold_subscript(&fold(&subscript.value)?, &fold(&subscript.slice)?)?
        }
        _ => return None,
    })
}

fn fold_unary(op: UnaryOp, operand: &Constant) -> Option<Constant> {
    Some(match (op, operand) {
        (UnaryOp::Not, value) => Constant::Bool(!value.is_true()),
        (UnaryOp::UAdd, Constant::Float(value)) => Constant::Float(*value),
        (UnaryOp::USub, Constant::Float(value)) => Constant::Float(-value),
        (UnaryOp::USub, Constant::Complex(real, imag)) => Constant::Complex(-real, -imag),
        (UnaryOp::USub, Constant::BigInt(digits)) => Constant::BigInt(format!("-{digits}")),
        (UnaryOp::UAdd, value) => Constant::Int(value.as_int()?),
        (UnaryOp::USub, value) => Constant::Int(value.as_int()?.checked_neg()?),
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
        .try_fold(fold(leftmost)?, |left, (op, right)| fold_binary(*op, &left, &fold(right)?))
}

fn fold_binary(op: Operator, left: &Constant, right: &Constant) -> Option<Constant> {
    if let (Some(left), Some(right)) = (left.as_int(), right.as_int()) {
        return fold_ints(op, left, right);
    }
    match (op, left, right) {
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
            if count.as_int().is_some() && sequence.as_float().is_none() =>
        {
            repeat(sequence, count.as_int()?)
        }
        _ => fold_floats(op, left.as_float()?, right.as_float()?),
    }
}

fn fold_ints(op: Operator, left: i128, right: i128) -> Option<Constant> {
    Some(Constant::Int(match op {
        Operator::Add => left.checked_add(right)?,
        Operator::Sub => left.checked_sub(right)?,
        Operator::Mult => left.checked_mul(right)?,
        Operator::FloorDiv => {
            let quotient = left.checked_div(right)?;
            let inexact = quotient.checked_mul(right)? != left;
            quotient - i128::from(inexact && (left < 0) != (right < 0))
        }
        Operator::Mod => {
            let rest = left.checked_rem(right)?;
            if rest != 0 && (rest < 0) != (right < 0) { rest + right } else { rest }
        }
        Operator::Pow if right >= 0 => left.checked_pow(u32::try_from(right).ok()?)?,
        Operator::LShift => {
            let factor = 1i128.checked_shl(u32::try_from(right).ok()?)?;
            left.checked_mul(factor)?
        }
        Operator::RShift => left >> u32::try_from(right).ok()?.min(127),
        Operator::BitOr => left | right,
        Operator::BitXor => left ^ right,
        Operator::BitAnd => left & right,
        Operator::Div | Operator::Pow => {
            return fold_floats(
                op,
                Constant::Int(left).as_float()?,
                Constant::Int(right).as_float()?,
            );
        }
        Operator::MatMult => return None,
    }))
}

fn fold_floats(op: Operator, left: f64, right: f64) -> Option<Constant> {
    let value = match op {
        Operator::Add => left + right,
        Operator::Sub => left - right,
        Operator::Mult => left * right,
        Operator::Div if right != 0.0 => left / right,
        Operator::FloorDiv if right != 0.0 => (left / right).floor(),
        Operator::Mod if right != 0.0 => left - right * (left / right).floor(),
        Operator::Pow => left.powf(right),
        _ => return None,
    };
    value.is_finite().then_some(Constant::Float(value))
}

/// Repeats a sequence unless the result would be large, like CPython's `safe_multiply`.
fn repeat(sequence: &Constant, count: i128) -> Option<Constant> {
    const MAX_STRING: usize = 4096;
    const MAX_TUPLE: usize = 256;
    let count = usize::try_from(count.max(0)).ok()?;
    let fits = |len: usize, max: usize| len.checked_mul(count).is_some_and(|total| total <= max);
    match sequence {
        Constant::Str(s) if fits(s.chars().count(), MAX_STRING) => {
            Some(Constant::Str(s.repeat(count)))
        }
        Constant::Bytes(b) if fits(b.len(), MAX_STRING) => Some(Constant::Bytes(b.repeat(count))),
        Constant::Tuple(t) if fits(t.len(), MAX_TUPLE) => {
            Some(Constant::Tuple(vec![t.as_slice(); count].concat()))
        }
        _ => None,
    }
}

fn fold_subscript(value: &Constant, index: &Constant) -> Option<Constant> {
    let index = index.as_int()?;
    let position = |len: usize| {
        let len = i128::try_from(len).ok()?;
        usize::try_from(if index < 0 { index + len } else { index }).ok()
    };
    match value {
        Constant::Str(s) => {
            let c = s.chars().nth(position(s.chars().count())?)?;
            Some(Constant::Str(c.to_string()))
        }
        Constant::Bytes(b) => b.get(position(b.len())?).map(|b| Constant::Int(i128::from(*b))),
        Constant::Tuple(t) => t.get(position(t.len())?).cloned(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(source: &str, version: PythonVersion) -> (bool, bool) {
        let text = format!("{source}\n");
        let syntax = crate::python::syntax::Syntax::parse(&text, version).unwrap();
        let Some(ruff_python_ast::Stmt::Expr(statement)) = syntax.body().first() else { panic!() };
        let Outcome { can_be_true, can_be_false } = Outcome::of(&statement.value, version);
        (can_be_true, can_be_false)
    }

    #[test]
    fn only_literals_decide_jumps_from_3_14_on() {
        for (source, expected) in [
            ("1", (true, false)),
            ("not 1", (false, true)),
            ("__debug__", (true, false)),
            ("f''", (false, true)),
            ("()", (true, true)),
            ("(1,)", (true, true)),
            ("-1", (true, true)),
            ("1 - 1", (true, true)),
            ("(1,)[0]", (true, true)),
            ("__debug__ and ()", (true, true)),
        ] {
            assert_eq!(outcome(source, PythonVersion::Py314), expected, "{source}");
        }
    }

    #[test]
    fn conditions_come_out_as_the_compiler_sees_them() {
        let (yes, no, open) = ((true, false), (false, true), (true, true));
        for (source, expected) in [
            ("1", yes),
            ("0", no),
            ("x", open),
            ("__debug__", yes),
            ("not __debug__", no),
            ("''", no),
            ("'a' 'b'", yes),
            ("()", no),
            ("(1, x)", open),
            ("(1, 2)", yes),
            ("[]", open),
            ("...", yes),
            ("None", no),
            ("0j", no),
            ("-0.0", no),
            ("0x0_0", no),
            ("1 and x", open),
            ("0 and x", no),
            ("x and 0", no),
            ("x or 1", yes),
            ("1 or x", yes),
            ("x or 0", open),
            ("not (x and 0)", yes),
            ("1 if x else 2", yes),
            ("0 if x else 0", no),
            ("x if 1 else 0", open),
            ("1 - 1", no),
            ("2 ** 3 - 8", no),
            ("7 // -2 + 4", no),
            ("-7 % 3 - 2", no),
            ("1 / 2", yes),
            ("1 // 2", no),
            ("1 // 0", open),
            ("'a' * 0", no),
            ("'abc'[1]", yes),
            ("(0, 1)[0]", no),
            ("(0, 1)[-1]", yes),
            ("1 < 2", open),
            ("~-1", no),
            ("1 << 3", yes),
            ("1 << 200", open),
            ("99999999999999999999999", yes),
            ("'%s' % 1", open),
            ("(x := 1)", open),
            ("lambda: 0", open),
            ("b''", no),
        ] {
            assert_eq!(outcome(source, PythonVersion::Py312), expected, "{source}");
        }
    }
}
