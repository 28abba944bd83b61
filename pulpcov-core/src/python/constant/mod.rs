//! Evaluates constant expressions as CPython's compiler does.
//!
//! CPython's optimizer evaluates operators on literals (`ast_opt.c` up to 3.13, `flowgraph.c` from
//! 3.14 on). Then it removes each conditional jump on a constant, or makes it unconditional. This
//! decides which statements are unreachable. So the main question is whether a condition can be
//! true, and whether it can be false.
//!
//! - `value`: constants, Python's `==` and `repr` of them.
//! - `fold`: evaluates an expression.
//! - `integers`, `reals`, `complex`: Python's operators on numbers.

mod complex;
mod fold;
mod integers;
mod reals;
mod value;

use ruff_python_ast::{BoolOp, Expr, ExprFString, FStringPart, Operator, UnaryOp};

pub(crate) use self::complex::Complex;
pub(crate) use self::fold::fold;
pub(crate) use self::value::Constant;
use super::PythonVersion;

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
            Expr::BinOp(_) if version >= PythonVersion::Py314 => formats_nothing(test, version)
                .map_or(Self::OPEN, |text| Self::always(!text.is_empty())),
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

/// Returns the text that is formatted with `%` if it has no fields and gets no values, such as `'100 %%' % ()`.
///
/// From 3.14 on, the compiler makes an f-string without fields of it (`optimize_format` in CPython's `ast_preprocess.c`). Before,
/// `()` is a constant by then, and constants are left to run time.
pub(crate) fn formats_nothing(expr: &Expr, version: PythonVersion) -> Option<&str> {
    let binary = expr.as_bin_op_expr().filter(|_| version >= PythonVersion::Py314)?;
    let values = binary.right.as_tuple_expr().filter(|_| binary.op == Operator::Mod)?;
    let text = binary.left.as_string_literal_expr()?.value.to_str();
    let has_field = text.replace("%%", "").contains('%');
    (values.elts.is_empty() && !has_field).then_some(text)
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
            ("1 << 100 >> 100", yes),
            ("18446744073709551616 - 0x1_0000_0000_0000_0000", no),
            ("-18446744073709551616 // 18446744073709551617 + 1", no),
            ("1j - 1j", no),
            ("1j * 1j + 1", no),
            ("1j ** 0 - 1", no),
            ("1j / 0", open),
            ("0j ** 1j", open),
            ("1j // 1", open),
            ("(-8) ** 0.5", yes),
            ("1e308 * 10", yes),
            ("1e308 ** 2", open),
            ("-7.5 // 2 + 4", no),
            ("5.5 % -2 + 0.5", no),
            ("0 ** -1", open),
            ("1 ** 200", open),
            ("'a' * -1", open),
            ("'' * -1", no),
            ("True & False", no),
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
