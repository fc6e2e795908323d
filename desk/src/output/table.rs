//! Tables that fit the terminal.

use super::text::{line, shorten, width};

/// Columns between two cells.
const GAP: usize = 2;
/// The narrowest that a column is made so that a table fits.
const NARROWEST: usize = 8;

/// A table: headings, rows, and which column gives way where the terminal is narrow.
#[derive(Debug)]
pub(crate) struct Table {
    headings: Vec<&'static str>,
    flexible: usize,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table; `flexible` is the column that is shortened first.
    pub(crate) fn new(headings: &[&'static str], flexible: usize) -> Self {
        Self { headings: headings.to_vec(), flexible, rows: Vec::new() }
    }

    /// Adds a row of as many cells as there are headings.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| line(&cell)).collect());
    }

    /// The table, at most `columns` wide where its fixed columns leave that; `none` where it has no rows.
    pub(crate) fn print(&self, columns: usize, none: &str) -> String {
        if self.rows.is_empty() {
            return format!("{none}\n");
        }
        let widest = |at: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(at)).map(|cell| width(cell));
            cells.chain([width(self.headings[at])]).max().unwrap_or(0)
        };
        let mut widths: Vec<usize> = (0..self.headings.len()).map(widest).collect();
        let total = |widths: &[usize]| widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
        // The flexible column gives way first, then whichever is widest.
        let over = total(&widths).saturating_sub(columns);
        widths[self.flexible] = widths[self.flexible].saturating_sub(over).max(NARROWEST.min(widths[self.flexible]));
        while total(&widths) > columns {
            let Some(widest) = widths.iter_mut().max() else { break };
            if *widest <= NARROWEST {
                break;
            }
            *widest -= 1;
        }
        let print = |cells: &mut dyn Iterator<Item = &str>| {
            let mut out = String::new();
            for (cell, room) in cells.zip(&widths) {
                let cell = shorten(cell, *room);
                let padding = " ".repeat(room.saturating_sub(width(&cell)) + GAP);
                out.push_str(&cell);
                out.push_str(&padding);
            }
            format!("{}\n", out.trim_end())
        };
        let mut text = print(&mut self.headings.iter().copied());
        for row in &self.rows {
            text.push_str(&print(&mut row.iter().map(String::as_str)));
        }
        text
    }
}
