//! The values of constant expressions.

use num_bigint::BigInt;
use num_traits::{FromPrimitive, ToPrimitive, Zero};

use super::complex::Complex;
use crate::pytext::float_repr;
use crate::text::py_repr;

/// The value of an expression that the compiler evaluates.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Constant {
    None,
    Ellipsis,
    Bool(bool),
    Int(BigInt),
    Float(f64),
    Complex(Complex),
    Str(String),
    Bytes(Vec<u8>),
    Tuple(Vec<Self>),
}

impl Constant {
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::None => false,
            Self::Ellipsis => true,
            Self::Bool(value) => *value,
            Self::Int(value) => !value.is_zero(),
            Self::Float(value) => *value != 0.0,
            Self::Complex(value) => value.re != 0.0 || value.im != 0.0,
            Self::Str(value) => !value.is_empty(),
            Self::Bytes(value) => !value.is_empty(),
            Self::Tuple(items) => !items.is_empty(),
        }
    }

    /// Compares values like Python's `==`, for which `1`, `1.0`, `1+0j` and `True` are equal.
    pub(crate) fn equals(&self, other: &Self) -> bool {
        match (self.as_real(), other.as_real()) {
            (Some((a, a_im)), Some((b, b_im))) => a_im == b_im && real_equals(&a, &b),
            (None, None) => match (self, other) {
                (Self::Tuple(a), Self::Tuple(b)) => {
                    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.equals(b))
                }
                _ => self == other,
            },
            _ => false,
        }
    }

    /// Returns the real part of a number, as an integer or a float, and its imaginary part.
    fn as_real(&self) -> Option<(Self, f64)> {
        match self {
            Self::Complex(value) => Some((Self::Float(value.re), value.im)),
            Self::Float(value) => Some((Self::Float(*value), 0.0)),
            _ => self.as_int().map(|value| (Self::Int(value), 0.0)),
        }
    }

    /// Returns the value of an integer. In Python, a `bool` is an integer.
    pub(super) fn as_int(&self) -> Option<BigInt> {
        match self {
            Self::Bool(value) => Some(BigInt::from(*value)),
            Self::Int(value) => Some(value.clone()),
            _ => None,
        }
    }

    /// Returns whether the value is an integer. In Python, a `bool` is an integer.
    pub(super) fn is_int(&self) -> bool {
        matches!(self, Self::Bool(_) | Self::Int(_))
    }

    /// Converts an integer or a float to a float. Returns `None` if an integer is too large, which
    /// is an error in Python.
    pub(super) fn as_float(&self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(*value),
            _ => self.as_int()?.to_f64().filter(|value| value.is_finite()),
        }
    }

    /// Converts a number to a complex number. Returns `None` if an integer is too large.
    pub(super) fn as_complex(&self) -> Option<Complex> {
        match self {
            Self::Complex(value) => Some(*value),
            _ => self.as_float().map(|re| Complex { re, im: 0.0 }),
        }
    }

    /// Returns Python's `repr` of the value.
    ///
    /// # Errors
    ///
    /// Returns Python's message if an integer has more digits than Python converts.
    pub(crate) fn repr(&self) -> Result<String, &'static str> {
        Ok(match self {
            Self::None => "None".to_owned(),
            Self::Ellipsis => "Ellipsis".to_owned(),
            Self::Bool(true) => "True".to_owned(),
            Self::Bool(false) => "False".to_owned(),
            Self::Int(value) => decimal(value)?,
            Self::Float(value) => float_repr(*value),
            Self::Complex(value) => value.repr(),
            Self::Str(text) => py_repr(text),
            Self::Bytes(bytes) => bytes_repr(bytes),
            Self::Tuple(items) => {
                let items: Vec<String> = items.iter().map(Self::repr).collect::<Result<_, _>>()?;
                format!("({})", items.join(", "))
            }
        })
    }

    /// Returns a text that is different for constants that the compiler stores apart: `1` and
    /// `1.0`, `0.0` and `-0.0`.
    pub(crate) fn key(&self) -> String {
        match self {
            // Decimal digits of a large number would take quadratic time.
            Self::Int(value) => format!("{value:x}"),
            Self::Tuple(items) => {
                let items: Vec<String> = items.iter().map(Self::key).collect();
                format!("({})", items.join(", "))
            }
            other => format!("{other:?}"),
        }
    }
}

/// Returns the decimal digits of an integer (`long_to_decimal_string` in CPython's `longobject.c`).
fn decimal(value: &BigInt) -> Result<String, &'static str> {
    const MAX_DIGITS: usize = 4300;
    /// Integers of more bits have more digits. To convert them would take quadratic time.
    const MAX_BITS: u64 = 14_300;
    let digits = |text: &str| text.trim_start_matches('-').len();
    let text = (value.bits() <= MAX_BITS).then(|| value.to_string());
    text.filter(|text| digits(text) <= MAX_DIGITS).ok_or(
        "Exceeds the limit (4300 digits) for integer string conversion; use \
         sys.set_int_max_str_digits() to increase the limit",
    )
}

/// Compares integers and floats by their exact values.
fn real_equals(a: &Constant, b: &Constant) -> bool {
    let exact = |value: &Constant, float: f64| {
        float.fract() == 0.0 && BigInt::from_f64(float).is_some_and(|f| value.as_int() == Some(f))
    };
    match (a, b) {
        (Constant::Float(a), Constant::Float(b)) => a == b,
        (Constant::Float(a), b) => exact(b, *a),
        (a, Constant::Float(b)) => exact(a, *b),
        _ => a == b,
    }
}

/// Returns `repr(bytes)` (`PyBytes_Repr` in CPython's `bytesobject.c`).
fn bytes_repr(bytes: &[u8]) -> String {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { '"' } else { '\'' };
    let mut repr = format!("b{quote}");
    for &byte in bytes {
        match byte {
            b'\t' => repr.push_str("\\t"),
            b'\n' => repr.push_str("\\n"),
            b'\r' => repr.push_str("\\r"),
            b' '..=b'~' => {
                if byte == b'\\' || char::from(byte) == quote {
                    repr.push('\\');
                }
                repr.push(char::from(byte));
            }
            _ => repr.push_str(&format!("\\x{byte:02x}")),
        }
    }
    repr.push(quote);
    repr
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_all_types_are_equal_by_value() {
        let int = |value: i128| Constant::Int(BigInt::from(value));
        let complex = |re, im| Constant::Complex(Complex { re, im });
        assert!(int(1).equals(&Constant::Bool(true)));
        assert!(int(1).equals(&complex(1.0, 0.0)));
        assert!(Constant::Float(1.0).equals(&complex(1.0, 0.0)));
        assert!(!int(1).equals(&complex(1.0, 1.0)));
        assert!(int(1 << 60).equals(&Constant::Float((1i64 << 60) as f64)));
        assert!(!int((1 << 60) + 1).equals(&Constant::Float((1i64 << 60) as f64)));
        assert!(!int(0).equals(&Constant::Str(String::new())));
        let tuple = |item| Constant::Tuple(vec![item]);
        assert!(tuple(int(1)).equals(&tuple(Constant::Float(1.0))));
    }

    #[test]
    fn reprs_are_those_of_python() {
        let complex = |re, im| Constant::Complex(Complex { re, im }).repr();
        let power = |digits| Constant::Int(BigInt::from(10).pow(digits));
        for (repr, expected) in [
            (Constant::Float(1e16).repr(), "1e+16"),
            (Constant::Float(1e-5).repr(), "1e-05"),
            (complex(0.0, 1.0), "1j"),
            (complex(-0.0, -1.0), "(-0-1j)"),
            (complex(1.5, 1e20), "(1.5+1e+20j)"),
            (complex(1.0, f64::INFINITY), "(1+infj)"),
            (Constant::Bytes(b"\xe9'\n\\".to_vec()).repr(), r#"b"\xe9'\n\\""#),
            (Constant::Bytes(b"'\"".to_vec()).repr(), r#"b'\'"'"#),
        ] {
            assert_eq!(repr.unwrap(), expected);
        }
        assert_eq!(power(4299).repr().unwrap().len(), 4300);
        assert!(power(4300).repr().is_err());
        assert!(power(100_000).repr().is_err());
    }
}
