//! A code as SVG 1.1: one white square and one path of black runs, one unit a module.

use std::fmt::Write as _;

use super::Matrix;

/// Pixels of a module where the picture is shown without scaling.
const MODULE_PIXELS: usize = 8;

/// The picture.
pub(crate) fn svg(matrix: &Matrix) -> Vec<u8> {
    let side = matrix.side();
    let pixels = side * MODULE_PIXELS;
    let mut path = String::new();
    for y in 0..side {
        let mut x = 0;
        while x < side {
            let run = (x..side).take_while(|x| matrix.dark(*x, y)).count();
            if run > 0 {
                // Writing to a string cannot fail.
                let _ = write!(path, "M{x},{y}h{run}v1h-{run}z");
            }
            x += run + 1;
        }
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
        <svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"{pixels}\" height=\"{pixels}\" \
        viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\n\
        <rect width=\"{side}\" height=\"{side}\" fill=\"#ffffff\"/>\n<path d=\"{path}\" fill=\"#000000\"/>\n</svg>\n"
    )
    .into_bytes()
}
