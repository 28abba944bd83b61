//! The branches of a file.

use std::cmp::Ordering;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;

/// The branches of a file, in blocks: the branches that one decision has.
///
/// Blocks are merged if they have branches of the same names. The first such block of a line is added to the first, the second to the
/// second, as lcov does with blocks that have as many branches. Another block stays beside them: nobody knows which of its branches
/// is which.
///
/// # Examples
///
/// ```
/// use pulpcov_core::foreign::lcov;
///
/// let read = |taken| lcov::read(format!("SF:a.c\nBRDA:4,0,0,{taken}\nBRDA:4,0,1,-\nend_of_record\n").as_bytes());
/// let mut report = read("1")?;
/// report.merge(read("2")?);
/// // Another tool describes its branches.
/// report.merge(lcov::read(&b"SF:a.c\nBRDA:4,0,jump to line 5,1\nend_of_record\n"[..])?);
/// let counts = report.files().next().unwrap().1.total();
/// let blocks: Vec<(u32, Vec<Option<u64>>)> = counts
///     .branches()
///     .blocks()
///     .map(|(line, block)| (line, block.iter().map(|branch| branch.taken).collect()))
///     .collect();
/// assert_eq!(blocks, [(4, vec![Some(1)]), (4, vec![Some(3), None])]);
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Branches {
    /// The line of each block, and how many of the branches it has. Sorted by line.
    blocks: Vec<(u32, usize)>,
    branches: Vec<Branch>,
}

/// A branch, and how often it was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Branch {
    /// What the tool calls the branch.
    pub name: BranchName,
    /// What the branch is for.
    pub kind: BranchKind,
    /// Whether nobody expects the branch to be taken.
    pub is_excluded: bool,
    /// How often the branch was taken. `None` if the decision was never reached.
    pub taken: Option<u64>,
}

/// What a tool calls a branch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum BranchName {
    /// Its number.
    Number(u32),
    /// Its condition, or other words.
    Text(Box<str>),
}

/// What a branch is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum BranchKind {
    /// A condition.
    #[default]
    Condition,
    /// An exception that may be raised.
    Exception,
    /// What happens if no condition holds.
    FallThrough,
}

impl fmt::Display for BranchName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl Branch {
    fn is_same(&self, other: &Self) -> bool {
        self.kind == other.kind && self.name == other.name
    }

    fn add(&mut self, other: &Self) {
        self.is_excluded |= other.is_excluded;
        self.taken = match (self.taken, other.taken) {
            (Some(mine), Some(other)) => Some(mine.saturating_add(other)),
            (mine, other) => mine.or(other),
        };
    }
}

fn are_same(mine: &[Branch], other: &[Branch]) -> bool {
    mine.len() == other.len() && mine.iter().zip(other).all(|(mine, other)| mine.is_same(other))
}

impl Branches {
    /// Returns the blocks with their lines, sorted by line, then by how many branches they have.
    pub fn blocks(&self) -> impl Iterator<Item = (u32, &[Branch])> {
        let mut rest = self.branches.as_slice();
        self.blocks.iter().map(move |&(line, count)| {
            let (block, behind) = rest.split_at_checked(count).unwrap_or_default();
            rest = behind;
            (line, block)
        })
    }

    /// Returns whether there are no branches.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Begins a block.
    pub(super) fn begin(&mut self, line: u32) {
        self.blocks.push((line, 0));
    }

    /// Adds a branch to the block that was begun last.
    pub(super) fn push(&mut self, branch: Branch) {
        if let Some(block) = self.blocks.last_mut() {
            block.1 += 1;
            self.branches.push(branch);
        }
    }

    /// Sorts the blocks by line, and those of one line by their branches. Those with the same branches keep their order.
    pub(super) fn finish(&mut self) {
        let in_order = |a: &(u32, &[Branch]), b: &(u32, &[Branch])| {
            a.0.cmp(&b.0).then_with(|| order(a.1, b.1)).is_le()
        };
        let is_sorted = self.blocks().is_sorted_by(in_order);
        if !is_sorted {
            *self = Self::of_lines(self.by_line());
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        if other.is_empty() {
            return;
        }
        if self.blocks == other.blocks && are_same(&self.branches, &other.branches) {
            self.branches.iter_mut().zip(&other.branches).for_each(|(mine, other)| mine.add(other));
            return;
        }
        let mut lines = self.by_line();
        for (line, blocks) in other.by_line() {
            add_blocks(lines.entry(line).or_default(), blocks);
        }
        *self = Self::of_lines(lines);
    }

    fn by_line(&self) -> BTreeMap<u32, Vec<Vec<Branch>>> {
        let mut lines = BTreeMap::<u32, Vec<Vec<Branch>>>::new();
        self.blocks().for_each(|(line, block)| lines.entry(line).or_default().push(block.to_vec()));
        lines
    }

    fn of_lines(lines: BTreeMap<u32, Vec<Vec<Branch>>>) -> Self {
        let mut all = Self::default();
        for (line, mut blocks) in lines {
            blocks.sort_by(|a, b| order(a, b));
            for block in blocks {
                all.blocks.push((line, block.len()));
                all.branches.extend(block);
            }
        }
        all
    }
}

/// Returns what blocks have in common that can be merged.
fn shape(block: &[Branch]) -> (usize, Vec<(BranchKind, &BranchName)>) {
    (block.len(), block.iter().map(|branch| (branch.kind, &branch.name)).collect())
}

/// Compares the numbers of branches, and then the branches.
fn order(a: &[Branch], b: &[Branch]) -> Ordering {
    let branches = a.iter().zip(b);
    let mut orders = branches.map(|(a, b)| a.kind.cmp(&b.kind).then_with(|| a.name.cmp(&b.name)));
    a.len()
        .cmp(&b.len())
        .then_with(|| orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal))
}

/// Adds blocks to those of the same line.
fn add_blocks(known: &mut Vec<Vec<Branch>>, blocks: Vec<Vec<Branch>>) {
    // No two blocks are added to the same one.
    let mut free = BTreeMap::<(usize, Vec<(BranchKind, &BranchName)>), VecDeque<usize>>::new();
    for (at, block) in known.iter().enumerate() {
        free.entry(shape(block)).or_default().push_back(at);
    }
    let places: Vec<Option<usize>> =
        blocks.iter().map(|block| free.get_mut(&shape(block))?.pop_front()).collect();
    for (block, place) in blocks.into_iter().zip(places) {
        match place.and_then(|at| known.get_mut(at)) {
            Some(mine) => mine.iter_mut().zip(&block).for_each(|(mine, other)| mine.add(other)),
            None => known.push(block),
        }
    }
}
