//! Failed tests of a JUnit report.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::{Error, ErrorKind, Result};

/// Returns the tests of a JUnit report that failed or had errors, as pytest names them: the dotted name of the module and
/// the classes, and the name of the test.
///
/// # Errors
///
/// [`ErrorKind::Corrupt`] if the text is not XML, or has no test cases.
///
/// # Examples
///
/// ```
/// use pulpcov_core::impact::failed_tests;
///
/// let report = br#"<testsuite><testcase classname="tests.test_cart" name="test_add[1]"><failure/></testcase>
///     <testcase classname="tests.test_cart" name="test_sub"/></testsuite>"#;
/// assert_eq!(failed_tests(report)?, ["tests.test_cart.test_add[1]"]);
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub fn failed_tests(xml: &[u8]) -> Result<Vec<String>> {
    let mut reader = Reader::from_reader(xml);
    let damaged = |err: &dyn std::fmt::Display, at: u64| {
        Error::new(ErrorKind::Corrupt, format!("this is not a JUnit report: {err} (byte {at})"))
    };
    let (mut failed, mut current, mut cases) = (Vec::new(), None, 0_usize);
    loop {
        let at = reader.buffer_position();
        match reader.read_event().map_err(|err| damaged(&err, at))? {
            Event::Start(tag) if tag.local_name().as_ref() == "testcase" => {
                cases += 1;
                current = Some(name(&tag).map_err(|err| damaged(&err, at))?);
            }
            Event::Empty(tag) if tag.local_name().as_ref() == "testcase" => cases += 1,
            Event::Start(tag) | Event::Empty(tag)
                if matches!(tag.local_name().as_ref(), "failure" | "error") =>
            {
                failed.extend(current.take());
            }
            Event::End(tag) if tag.local_name().as_ref() == "testcase" => current = None,
            Event::Eof => break,
            _ => {}
        }
    }
    match cases {
        0 => Err(damaged(&"it has no test cases", xml.len() as u64)),
        _ => Ok(failed),
    }
}

fn name(tag: &BytesStart<'_>) -> quick_xml::Result<String> {
    let mut parts = Vec::new();
    for wanted in ["classname", "name"] {
        if let Some(attribute) = tag.try_get_attribute(wanted)? {
            parts.push(attribute.normalized_value(XmlVersion::Implicit1_0)?.into_owned());
        }
    }
    parts.retain(|part| !part.is_empty());
    Ok(parts.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_and_errors_of_any_nesting() {
        let report = "<?xml version='1.0'?><testsuites><testsuite><testcase classname='a.B' name='c &lt;'>\
            <system-out>x</system-out><error message='m'>t</error><failure/></testcase>\
            <testcase classname='' name='d'><failure></failure></testcase><testcase name='e'/>\
            <testcase name='f'><skipped/></testcase></testsuite></testsuites>";
        assert_eq!(failed_tests(report.as_bytes()).unwrap(), ["a.B.c <", "d"]);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "no xml", "<a>", "<coverage/>", "<testcase name='&nothing;'>"] {
            let err = failed_tests(text.as_bytes()).unwrap_err();
            assert_eq!(err.kind(), ErrorKind::Corrupt, "{text}");
        }
    }
}
