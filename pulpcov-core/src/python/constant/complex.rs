//! Complex numbers, as in CPython's `complexobject.c`.

use ruff_python_ast::Operator;

use crate::pytext::float_repr;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Complex {
    pub(crate) re: f64,
    pub(crate) im: f64,
}

impl Complex {
    fn is_zero(self) -> bool {
        self.re == 0.0 && self.im == 0.0
    }

    /// Returns `repr(number)`. The real part is left out if it is positive zero.
    pub(super) fn repr(self) -> String {
        // Unlike `repr(float)`, the parts have no `.0`.
        let part = |number: f64| {
            let text = float_repr(number);
            text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
        };
        if self.re == 0.0 && self.re.is_sign_positive() {
            return format!("{}j", part(self.im));
        }
        let im = part(self.im);
        let sign = if im.starts_with('-') { "" } else { "+" };
        format!("({}{sign}{im}j)", part(self.re))
    }
}

/// Evaluates an operator. Returns `None` if Python raises an error.
pub(super) fn evaluate(op: Operator, a: Complex, b: Complex) -> Option<Complex> {
    Some(match op {
        Operator::Add => Complex { re: a.re + b.re, im: a.im + b.im },
        Operator::Sub => Complex { re: a.re - b.re, im: a.im - b.im },
        Operator::Mult => Complex { re: a.re * b.re - a.im * b.im, im: a.re * b.im + a.im * b.re },
        Operator::Div => divide(a, b)?,
        Operator::Pow => power(a, b)?,
        _ => return None,
    })
}

/// Divides by the larger part of the divisor first, which avoids overflow (`_Py_c_quot`).
fn divide(a: Complex, b: Complex) -> Option<Complex> {
    if b.is_zero() {
        return None;
    }
    Some(if b.re.abs() >= b.im.abs() {
        let ratio = b.im / b.re;
        let denominator = b.re + b.im * ratio;
        Complex { re: (a.re + a.im * ratio) / denominator, im: (a.im - a.re * ratio) / denominator }
    } else {
        let ratio = b.re / b.im;
        let denominator = b.re * ratio + b.im;
        Complex { re: (a.re * ratio + a.im) / denominator, im: (a.im * ratio - a.re) / denominator }
    })
}

/// Raises to a power (`complex_pow`). A small whole exponent is a series of multiplications.
fn power(a: Complex, b: Complex) -> Option<Complex> {
    const MAX_WHOLE: f64 = 100.0;
    const ONE: Complex = Complex { re: 1.0, im: 0.0 };
    let result = if b.im == 0.0 && b.re.fract() == 0.0 && b.re.abs() <= MAX_WHOLE {
        let multiply = |a, b| evaluate(Operator::Mult, a, b);
        let whole = (0..b.re.abs() as u32).try_fold(ONE, |product, _| multiply(product, a))?;
        if b.re < 0.0 { divide(ONE, whole)? } else { whole }
    } else if a.is_zero() {
        if b.im != 0.0 || b.re < 0.0 {
            return None;
        }
        Complex { re: 0.0, im: 0.0 }
    } else {
        let (size, angle) = (a.re.hypot(a.im), a.im.atan2(a.re));
        let turned =
            if b.im == 0.0 { (1.0, 0.0) } else { ((-angle * b.im).exp(), b.im * size.ln()) };
        let (length, phase) = (size.powf(b.re) * turned.0, angle * b.re + turned.1);
        if phase.is_infinite() {
            return None;
        }
        Complex { re: length * phase.cos(), im: length * phase.sin() }
    };
    let overflows = result.re.is_infinite() || result.im.is_infinite();
    (!overflows).then_some(result)
}
