//! A profile as a flame graph: a picture of its own, without scripts. Width is proving cost; callees stand on callers.
use super::cost::constraints;
use super::profile::{Node, Profile, Spent};
use std::fmt::Write;

/// Pixels.
const WIDTH: f64 = 1200.0;
const ROW: f64 = 18.0;
const MARGIN: f64 = 10.0;
const TOP: f64 = 34.0;
/// Narrower boxes are left out.
const NARROWEST: f64 = 0.2;
/// Pixels of a letter, roughly.
const LETTER: f64 = 6.6;

/// The picture.
pub fn svg(profile: &Profile, title: &str) -> String {
    let nodes = profile.nodes();
    let totals = totals(nodes);
    let mut graph = Graph { nodes, totals: &totals, body: String::new(), rows: 0 };
    let height = |rows: u32| TOP + f64::from(rows) * ROW + MARGIN;
    graph.measure(0, 0);
    let bottom = height(graph.rows) - MARGIN - ROW;
    graph.draw(0, MARGIN, bottom);
    let all = totals.first().copied().unwrap_or_default();
    let caption =
        format!("{title}: {} constraints, {} steps; width is constraints", constraints(all.gas), all.steps);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" \
         font-family=\"monospace\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fdfcf8\"/>\n\
         <text x=\"{MARGIN}\" y=\"20\" font-size=\"13\">{}</text>\n{}</svg>\n",
        escape(&caption),
        graph.body,
        w = WIDTH + 2.0 * MARGIN,
        h = height(graph.rows),
    )
}

/// Spent below each node, itself included.
fn totals(nodes: &[Node]) -> Vec<Spent> {
    let mut totals: Vec<Spent> = nodes.iter().map(|node| node.own).collect();
    // Children come behind their parents.
    for (parent, node) in nodes.iter().enumerate().rev() {
        for child in &node.children {
            let below = totals[*child];
            totals[parent].steps += below.steps;
            totals[parent].gas += below.gas;
        }
    }
    totals
}

struct Graph<'g> {
    nodes: &'g [Node],
    totals: &'g [Spent],
    body: String,
    rows: u32,
}

impl Graph<'_> {
    fn width(&self, node: usize) -> f64 {
        WIDTH * self.totals[node].gas as f64 / self.totals[0].gas.max(1) as f64
    }

    fn children(&self, node: usize) -> impl Iterator<Item = usize> {
        self.nodes[node].children.iter().copied().filter(|child| self.width(*child) >= NARROWEST)
    }

    /// Rows from here up.
    fn measure(&mut self, node: usize, row: u32) {
        self.rows = self.rows.max(row + 1);
        let children: Vec<usize> = self.children(node).collect();
        children.into_iter().for_each(|child| self.measure(child, row + 1));
    }

    fn draw(&mut self, node: usize, x: f64, y: f64) {
        let (label, width, total) = (&self.nodes[node].label, self.width(node), self.totals[node]);
        let share = 100.0 * total.gas as f64 / self.totals[0].gas.max(1) as f64;
        let cost = constraints(total.gas);
        let tip = format!("{label}: {cost} constraints ({share:.1}%), {} steps", total.steps);
        let letters = ((width - 6.0) / LETTER).max(0.0) as usize;
        let shown: String = match label.chars().count() <= letters {
            true => label.clone(),
            false if letters < 4 => String::new(),
            false => label.chars().take(letters - 2).chain("..".chars()).collect(),
        };
        // Writing to a String does not fail.
        let _ = writeln!(
            self.body,
            "<g><title>{}</title><rect x=\"{x:.2}\" y=\"{y:.0}\" width=\"{width:.2}\" height=\"{:.0}\" rx=\"2\" \
             fill=\"{}\"/><text x=\"{:.2}\" y=\"{:.0}\">{}</text></g>",
            escape(&tip),
            ROW - 1.0,
            colour(label),
            x + 3.0,
            y + 13.0,
            escape(&shown),
        );
        let mut at = x;
        let children: Vec<usize> = self.children(node).collect();
        for child in children {
            self.draw(child, at, y - ROW);
            at += self.width(child);
        }
    }
}

/// The same label has the same colour; what is no function is grey.
fn colour(label: &str) -> String {
    if label.starts_with('[') || label == "all" {
        return "#d0cfc8".into();
    }
    let hash = label.bytes().fold(5381u32, |hash, byte| hash.wrapping_mul(33) ^ u32::from(byte));
    format!("hsl({}, 85%, {}%)", 15 + hash % 40, 62 + hash / 64 % 14)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
