//! Line numbers as text: `1-2, 5-11, 13-14, 20->exit`.

/// Formats missing lines as ranges, and missing branches as arrows.
///
/// `lines` are a subset of `statements`, and both are sorted. Lines form one range if there is no
/// other statement between them. `arcs` that start or end in `lines` are left out. An arc to a
/// negative number goes to the exit.
///
/// # Examples
///
/// ```
/// use pulpcov_core::results::format_lines;
///
/// let statements = [1, 2, 3, 4, 5, 10, 11, 12, 13, 14];
/// assert_eq!(format_lines(&statements, &[1, 2, 5, 10, 11, 13, 14], &[]), "1-2, 5-11, 13-14");
/// assert_eq!(format_lines(&statements, &[5], &[(3, 4), (3, -1), (3, 5)]), "3->4, 3->exit, 5");
/// ```
pub fn format_lines(statements: &[i32], lines: &[i32], arcs: &[(i32, i32)]) -> String {
    let mut items: Vec<(i32, String)> = line_ranges(statements, lines)
        .into_iter()
        .map(|(first, last)| {
            let text = if first == last { first.to_string() } else { format!("{first}-{last}") };
            (first, text)
        })
        .collect();
    let is_listed = |line: i32| lines.binary_search(&line).is_ok();
    for &(from, to) in arcs {
        if !is_listed(from) && !is_listed(to) {
            let to = if to > 0 { to.to_string() } else { "exit".to_owned() };
            items.push((from, format!("{from}->{to}")));
        }
    }
    // Sorted by line and then as text, as in coverage.py: `3->10` comes before `3->4`.
    items.sort();
    items.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join(", ")
}

fn line_ranges(statements: &[i32], lines: &[i32]) -> Vec<(i32, i32)> {
    let mut ranges = Vec::new();
    let mut lines = lines.iter().peekable();
    let mut open: Option<(i32, i32)> = None;
    for &statement in statements {
        if lines.peek().is_none() {
            break;
        }
        if lines.next_if_eq(&&statement).is_some() {
            let first = open.map_or(statement, |(first, _)| first);
            open = Some((first, statement));
        } else {
            ranges.extend(open.take());
        }
    }
    ranges.extend(open);
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_lines_and_arcs() {
        let to = |last: i32| (1..=last).collect::<Vec<_>>();
        let cases = [
            (
                vec![1, 2, 3, 4, 5, 10, 11, 12, 13, 14],
                vec![1, 2, 5, 10, 11, 13, 14],
                vec![],
                "1-2, 5-11, 13-14",
            ),
            (to(12), vec![1, 2, 5, 10, 11], vec![], "1-2, 5, 10-11"),
            (to(10), to(10), vec![], "1-10"),
            (to(6), vec![1, 2, 5], vec![(3, 4), (3, 6)], "1-2, 3->4, 3->6, 5"),
            (to(12), vec![1], vec![(3, 4), (3, 10), (3, -1)], "1, 3->10, 3->4, 3->exit"),
            (to(6), vec![5], vec![(5, 6), (4, 5)], "5"),
            (vec![], vec![], vec![], ""),
        ];
        for (statements, lines, arcs, text) in cases {
            assert_eq!(format_lines(&statements, &lines, &arcs), text);
        }
    }
}
