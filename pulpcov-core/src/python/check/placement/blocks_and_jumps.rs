//! Checks blocks, and jumps out of them.

use ruff_python_ast::visitor::Visitor;
use ruff_python_ast::{ExceptHandler, Expr, Stmt, StmtTry};
use ruff_text_size::Ranged;

use super::{Block, Kind, Walk};
use crate::python::PythonVersion;
use crate::python::check::Stage;

impl<'a> Walk<'a, '_> {
    /// Calls `walk` inside blocks. Refuses more than `CO_MAXBLOCKS` of them, like
    /// `_PyCompile_PushFBlock`.
    pub(super) fn in_blocks(
        &mut self,
        blocks: &[Block],
        node: impl Ranged,
        walk: impl FnOnce(&mut Self),
    ) {
        let most = if self.version >= PythonVersion::Py312 { 21 } else { 20 };
        let line = self.syntax.first_line(node);
        let mut count = 0;
        self.scope(|scope| {
            scope.blocks.extend(blocks);
            count = scope.blocks.len();
            if count == most {
                scope.generator_overflow.get_or_insert(line);
            }
        });
        if count > most {
            self.errors.add(Stage::Code, line, "too many statically nested blocks");
        }
        walk(self);
        self.scope(|scope| scope.blocks.truncate(scope.blocks.len().saturating_sub(blocks.len())));
    }

    pub(super) fn try_(&mut self, node: &'a StmtTry) {
        // Only ruff's parser accepts an `else` without an `except` before it.
        self.errors.needs_grammar_check |= node.handlers.is_empty() && !node.orelse.is_empty();
        self.scope(|scope| scope.tries += 1);
        self.parts_of_try(node);
        self.scope(|scope| scope.tries -= 1);
    }

    pub(super) fn parts_of_try(&mut self, node: &'a StmtTry) {
        let is_finally = !node.finalbody.is_empty();
        let finally: &[Block] = if is_finally { &[Block::Other] } else { &[] };
        self.in_blocks(finally, node, |walk| {
            let except: &[Block] = if node.handlers.is_empty() { &[] } else { &[Block::Other] };
            walk.in_blocks(except, node, |walk| walk.visit_body(&node.body));
            for (position, handler) in node.handlers.iter().enumerate() {
                let ExceptHandler::ExceptHandler(handler) = handler;
                if handler.type_.is_none() && position + 1 < node.handlers.len() {
                    walk.refuse(Stage::Code, handler, "default 'except:' must be last");
                }
                if let Some(type_) = &handler.type_ {
                    walk.visit_expr(type_);
                }
                if let Some(name) = &handler.name {
                    walk.bind(name, handler);
                }
                let group = if node.is_star { Block::ExceptStar } else { Block::Other };
                walk.in_blocks(&[group, Block::Other], handler, |walk| {
                    walk.visit_body(&handler.body);
                });
            }
            walk.visit_body(&node.orelse);
        });
        if let Some(first) = node.finalbody.first() {
            self.in_blocks(finally, first, |walk| walk.visit_body(&node.finalbody));
        }
    }

    /// Checks a jump, like `codegen_unwind_fblock_stack`. A jump cannot leave an `except*` suite.
    pub(super) fn jump(&mut self, statement: &Stmt) {
        let to_loop = !matches!(statement, Stmt::Return(_));
        let blocks = self.scopes.last().map(|scope| scope.blocks.as_slice()).unwrap_or_default();
        let stops =
            |block: &&Block| **block == Block::ExceptStar || to_loop && **block == Block::Loop;
        let stop = blocks.iter().rev().find(stops);
        let message = match (stop, statement) {
            (Some(Block::ExceptStar), _) => {
                "'break', 'continue' and 'return' cannot appear in an except* block"
            }
            (None, Stmt::Break(_)) => "'break' outside loop",
            (None, Stmt::Continue(_)) => "'continue' not properly in loop",
            _ => return,
        };
        self.refuse(Stage::Code, statement, message);
    }

    pub(super) fn return_(&mut self, statement: &'a Stmt, value: Option<&'a Expr>) {
        if !matches!(self.kind(), Kind::Function { .. }) {
            self.refuse(Stage::Code, statement, "'return' outside function");
        }
        self.jump(statement);
        if let Some(value) = value {
            let line = self.syntax.first_line(statement);
            self.scope(|scope| _ = scope.returns_value.get_or_insert(line));
            self.visit_expr(value);
        }
    }
}
