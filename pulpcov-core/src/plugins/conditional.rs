//! `coverage_conditional_plugin` 0.9: <https://github.com/wemake-services/coverage-conditional-plugin>.
//!
//! A rule is a Python expression and a pattern: lines that match the pattern are excluded if the
//! expression is true. This module evaluates the expressions that rules usually have: the version,
//! the platform and environment variables, compared with constants. Whether a package is installed
//! is unknown without Python.

use std::cmp::Ordering;

use ruff_python_ast::{BoolOp, CmpOp, Expr, ExprCall, ExprSubscript, Number, UnaryOp};
use ruff_python_parser::parse_expression;

use super::{Environment, only_python_can_tell};
use crate::Result;
use crate::config::{Config, Value as Setting};
use crate::pytext::{split_lines, strip};

const PLUGIN: &str = "coverage_conditional_plugin";

pub(super) fn apply(config: &mut Config, environment: &Environment<'_>) -> Result<()> {
    let rules = match config.plugin_options.get(PLUGIN).and_then(|options| options.get("rules")) {
        Some(Setting::Text(text)) => split_lines(text).filter_map(parse_rule).collect(),
        Some(Setting::Table(table)) => table
            .iter()
            .map(|(pattern, code)| match code {
                Setting::Text(code) => (pattern.to_owned(), code.clone()),
                code => (pattern.to_owned(), code.to_string()),
            })
            .collect(),
        _ => Vec::new(),
    };
    for (pattern, code) in rules {
        let is_true = is_true(&code, environment)
            .ok_or_else(|| only_python_can_tell(PLUGIN, &format!("whether `{code}` is true")))?;
        if is_true {
            config.report.exclude_lines.push(pattern);
        }
    }
    Ok(())
}

/// Splits a line such as `"sys_version_info >= (3, 8)": py-gte-38` into pattern and code.
fn parse_rule(line: &str) -> Option<(String, String)> {
    let (code, pattern) = line.rsplit_once(':')?;
    let mut code = strip(code).chars();
    code.next();
    code.next_back();
    Some((strip(pattern).to_owned(), code.as_str().to_owned()))
}

/// Returns whether Python finds `code` true, or `None` if only Python can tell.
fn is_true(code: &str, environment: &Environment<'_>) -> Option<bool> {
    let parsed = parse_expression(strip(code)).ok()?;
    Some(environment.value(parsed.expr())?.is_true())
}

/// The value of an expression.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    None,
    Boolean(bool),
    Integer(i64),
    Text(String),
    Tuple(Vec<Value>),
    /// `sys.version_info`. Only the first two numbers are known.
    Version([i64; 2]),
}

impl Value {
    fn is_true(&self) -> bool {
        match self {
            Self::None => false,
            Self::Boolean(boolean) => *boolean,
            Self::Integer(number) => *number != 0,
            Self::Text(text) => !text.is_empty(),
            Self::Tuple(items) => !items.is_empty(),
            Self::Version(_) => true,
        }
    }

    /// Compares two values. Returns `None` if Python cannot compare them, or if the result depends
    /// on the unknown part of a version.
    fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => Some(a.cmp(b)),
            (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
            (Self::Tuple(a), Self::Tuple(b)) => {
                let differing = a.iter().zip(b).find(|(a, b)| a != b);
                differing.map_or(Some(a.len().cmp(&b.len())), |(a, b)| a.compare(b))
            }
            (Self::Version(version), Self::Tuple(numbers)) => {
                let known = version.iter().map(|number| Self::Integer(*number));
                for (own, number) in known.zip(numbers) {
                    match own.compare(number)? {
                        Ordering::Equal => {}
                        different => return Some(different),
                    }
                }
                // The version has more numbers than these, so it is greater.
                (numbers.len() <= version.len()).then_some(Ordering::Greater)
            }
            (Self::Tuple(_), Self::Version(_)) => other.compare(self).map(Ordering::reverse),
            (Self::Boolean(a), Self::Boolean(b)) => Some(a.cmp(b)),
            (Self::None, Self::None) => Some(Ordering::Equal),
            _ => None,
        }
    }

    fn is_equal(&self, other: &Self) -> Option<bool> {
        match (self, other) {
            (Self::Version(_), _) | (_, Self::Version(_)) => {
                self.compare(other).map(Ordering::is_eq)
            }
            _ => Some(self == other),
        }
    }
}

impl Environment<'_> {
    fn value(&self, expr: &Expr) -> Option<Value> {
        match expr {
            Expr::NoneLiteral(_) => Some(Value::None),
            Expr::BooleanLiteral(literal) => Some(Value::Boolean(literal.value)),
            Expr::StringLiteral(literal) => Some(Value::Text(literal.value.to_str().to_owned())),
            Expr::NumberLiteral(literal) => match &literal.value {
                Number::Int(number) => number.as_i64().map(Value::Integer),
                _ => None,
            },
            Expr::Tuple(tuple) => tuple
                .elts
                .iter()
                .map(|item| self.value(item))
                .collect::<Option<_>>()
                .map(Value::Tuple),
            Expr::List(list) => list
                .elts
                .iter()
                .map(|item| self.value(item))
                .collect::<Option<_>>()
                .map(Value::Tuple),
            Expr::Name(_) | Expr::Attribute(_) => self.named(expr),
            Expr::UnaryOp(operation) if operation.op == UnaryOp::Not => {
                Some(Value::Boolean(!self.value(&operation.operand)?.is_true()))
            }
            Expr::BoolOp(operation) => {
                let stops_at = operation.op == BoolOp::Or;
                let mut last = None;
                for operand in &operation.values {
                    let value = self.value(operand)?;
                    let stops = value.is_true() == stops_at;
                    last = Some(value);
                    if stops {
                        break;
                    }
                }
                last
            }
            Expr::Compare(comparison) => {
                let mut left = &*comparison.left;
                for (operator, right) in comparison.ops.iter().zip(&comparison.comparators) {
                    if !self.holds(left, *operator, right)? {
                        return Some(Value::Boolean(false));
                    }
                    left = right;
                }
                Some(Value::Boolean(true))
            }
            Expr::Subscript(subscript) => self.subscripted(subscript),
            Expr::Call(call) => self.called(call),
            _ => None,
        }
    }

    fn named(&self, expr: &Expr) -> Option<Value> {
        let text = |text: &str| Some(Value::Text(text.to_owned()));
        match dotted(expr)?.as_str() {
            "sys_version_info" | "sys.version_info" => Some(Value::Version(self.version()?)),
            "sys_version_info.major" | "sys.version_info.major" => {
                Some(Value::Integer(self.version()?[0]))
            }
            "sys_version_info.minor" | "sys.version_info.minor" => {
                Some(Value::Integer(self.version()?[1]))
            }
            "sys_platform" | "sys.platform" => text(self.sys_platform),
            "os_name" => text(self.os_name),
            "platform_system" => text(self.platform_system),
            "platform_machine" => text(self.platform_machine),
            "platform_python_implementation" => text("CPython"),
            "implementation_name" | "sys.implementation.name" => text("cpython"),
            "python_version" => text(self.python.as_str()),
            _ => None,
        }
    }

    fn version(&self) -> Option<[i64; 2]> {
        let (major, minor) = self.python.as_str().split_once('.')?;
        Some([major.parse().ok()?, minor.parse().ok()?])
    }

    fn holds(&self, left: &Expr, operator: CmpOp, right: &Expr) -> Option<bool> {
        if is_environ(right) {
            let Value::Text(name) = self.value(left)? else { return None };
            let is_set = (self.variable)(&name).is_some();
            return match operator {
                CmpOp::In => Some(is_set),
                CmpOp::NotIn => Some(!is_set),
                _ => None,
            };
        }
        let (left, right) = (self.value(left)?, self.value(right)?);
        match operator {
            CmpOp::Eq => left.is_equal(&right),
            CmpOp::NotEq => left.is_equal(&right).map(|equal| !equal),
            CmpOp::Lt => left.compare(&right).map(Ordering::is_lt),
            CmpOp::LtE => left.compare(&right).map(Ordering::is_le),
            CmpOp::Gt => left.compare(&right).map(Ordering::is_gt),
            CmpOp::GtE => left.compare(&right).map(Ordering::is_ge),
            CmpOp::Is if right == Value::None => Some(left == Value::None),
            CmpOp::IsNot if right == Value::None => Some(left != Value::None),
            CmpOp::In => left.is_in(&right),
            CmpOp::NotIn => left.is_in(&right).map(|inside| !inside),
            _ => None,
        }
    }

    fn subscripted(&self, subscript: &ExprSubscript) -> Option<Value> {
        if is_environ(&subscript.value) {
            let Value::Text(name) = self.value(&subscript.slice)? else { return None };
            return (self.variable)(&name).map(Value::Text);
        }
        let Value::Version(version) = self.value(&subscript.value)? else { return None };
        if let Expr::Slice(slice) = &*subscript.slice {
            let upper = slice.upper.as_deref().and_then(|upper| self.value(upper));
            let known = match (&slice.lower, upper, &slice.step) {
                (None, Some(Value::Integer(upper @ 0..=2)), None) => {
                    version.get(..usize::try_from(upper).ok()?)?
                }
                _ => return None,
            };
            return Some(Value::Tuple(
                known.iter().map(|number| Value::Integer(*number)).collect(),
            ));
        }
        let Value::Integer(at) = self.value(&subscript.slice)? else { return None };
        version.get(usize::try_from(at).ok()?).map(|number| Value::Integer(*number))
    }

    /// Evaluates a call: `os_environ.get(NAME)` with or without a default, `TEXT.startswith(TEXT)`
    /// or `TEXT.lower()`.
    fn called(&self, call: &ExprCall) -> Option<Value> {
        let Expr::Attribute(method) = &*call.func else { return None };
        if !call.arguments.keywords.is_empty() {
            return None;
        }
        let arguments: Vec<Value> = call
            .arguments
            .args
            .iter()
            .map(|argument| self.value(argument))
            .collect::<Option<_>>()?;
        if is_environ(&method.value) && method.attr.as_str() == "get" {
            let (name, default) = match &arguments[..] {
                [Value::Text(name)] => (name, Value::None),
                [Value::Text(name), default] => (name, default.clone()),
                _ => return None,
            };
            return Some((self.variable)(name).map_or(default, Value::Text));
        }
        match (self.value(&method.value)?, method.attr.as_str(), &arguments[..]) {
            (Value::Text(text), "startswith", [Value::Text(start)]) => {
                Some(Value::Boolean(text.starts_with(start)))
            }
            (Value::Text(text), "lower", []) => Some(Value::Text(text.to_lowercase())),
            _ => None,
        }
    }
}

impl Value {
    fn is_in(&self, container: &Self) -> Option<bool> {
        match (self, container) {
            (Self::Text(part), Self::Text(text)) => Some(text.contains(part)),
            (item, Self::Tuple(items)) => Some(items.contains(item)),
            _ => None,
        }
    }
}

fn is_environ(expr: &Expr) -> bool {
    dotted(expr).as_deref() == Some("os_environ")
}

/// Returns a name with its attributes, such as `sys.version_info`.
fn dotted(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Name(name) => Some(name.id.to_string()),
        Expr::Attribute(attribute) => {
            Some(format!("{}.{}", dotted(&attribute.value)?, attribute.attr.as_str()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::python::PythonVersion;

    fn evaluated(code: &str) -> Option<bool> {
        let variable = |name: &str| (name == "CI").then(|| "yes".to_owned());
        let mut environment = Environment::of_this_machine(PythonVersion::Py312, variable);
        (environment.sys_platform, environment.os_name) = ("linux", "posix");
        (environment.platform_system, environment.platform_machine) = ("Linux", "x86_64");
        is_true(code, &environment)
    }

    #[test]
    fn versions_and_platforms() {
        for (code, expected) in [
            ("sys_version_info >= (3, 12)", Some(true)),
            ("sys_version_info > (3, 12)", Some(true)),
            ("sys_version_info < (3, 12)", Some(false)),
            ("sys_version_info <= (3, 12)", Some(false)),
            ("sys_version_info == (3, 12)", Some(false)),
            ("sys_version_info >= (3,)", Some(true)),
            ("sys_version_info < (3, 13, 1)", Some(true)),
            ("sys_version_info < (3, 12, 1)", None),
            ("(3, 9) <= sys_version_info < (3, 13)", Some(true)),
            ("sys_version_info[:2] == (3, 12)", Some(true)),
            ("sys_version_info[1] == 12", Some(true)),
            ("sys_version_info[2] == 0", None),
            ("sys.version_info.minor > 11", Some(true)),
            ("python_version == '3.12'", Some(true)),
            ("platform_system == 'Windows'", Some(false)),
            ("sys_platform != \"win32\" and os_name == 'posix'", Some(true)),
            ("not (sys_platform == 'linux')", Some(false)),
            ("sys_platform in ('linux', 'darwin')", Some(true)),
            ("sys_platform.startswith('lin')", Some(true)),
            ("'CI' in os_environ", Some(true)),
            ("os_environ.get('CI') == 'yes'", Some(true)),
            ("os_environ.get('CD', '') != ''", Some(false)),
            ("os_environ.get('CD') is None", Some(true)),
            ("platform_python_implementation == 'PyPy'", Some(false)),
            // The first operand decides.
            ("sys_version_info >= (3, 9) or is_installed('mypy')", Some(true)),
            ("is_installed('mypy')", None),
            ("package_version('django') < (4, 0)", None),
            ("sys_version_info >= 3", None),
            ("nonsense", None),
            ("1 +", None),
        ] {
            assert_eq!(evaluated(code), expected, "{code}");
        }
    }

    #[test]
    fn rules_of_ini_files() {
        let line = r#"  "sys_version_info >= (3, 8)": py-gte-38  "#;
        let (pattern, code) = parse_rule(line).unwrap();
        assert_eq!((pattern.as_str(), code.as_str()), ("py-gte-38", "sys_version_info >= (3, 8)"));
        assert_eq!(parse_rule("no rule"), None);
    }
}
