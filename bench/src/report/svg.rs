//! Just enough SVG: shapes by class, so that the page's style sheet gives light and dark their colours.
//! All text passes through [`escape`]; results files are not trusted to be free of markup.

use std::fmt::Write;

/// Text safe in HTML and SVG, in attributes too.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Where text stands relative to its point.
#[derive(Clone, Copy)]
pub enum Anchor {
    /// To the right of it.
    Start,
    /// Around it.
    Middle,
    /// To the left of it.
    End,
}

/// A drawing of fixed size.
pub struct Svg {
    body: String,
    width: f64,
    height: f64,
    label: String,
}

impl Svg {
    /// An empty drawing; `label` is read out in its place.
    pub fn new(width: f64, height: f64, label: &str) -> Self {
        Svg { body: String::new(), width, height, label: escape(label) }
    }

    fn push(&mut self, args: std::fmt::Arguments<'_>) {
        // Writing to a String does not fail.
        let _ = self.body.write_fmt(args);
    }

    /// A line.
    pub fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        self.push(format_args!(
            "<line class=\"{class}\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>",
            from.0, from.1, to.0, to.1
        ));
    }

    /// A filled rectangle with a tooltip, if there is one.
    pub fn rect(&mut self, class: &str, at: (f64, f64), size: (f64, f64), radius: f64, tip: &str) {
        self.push(format_args!(
            "<rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"{radius}\">{}</rect>",
            at.0,
            at.1,
            size.0.max(0.0),
            size.1,
            tooltip(tip)
        ));
    }

    /// A dot with a tooltip.
    pub fn dot(&mut self, class: &str, at: (f64, f64), radius: f64, tip: &str) {
        self.push(format_args!(
            "<circle class=\"{class}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"{radius}\">{}</circle>",
            at.0,
            at.1,
            tooltip(tip)
        ));
    }

    /// A line through points.
    pub fn path(&mut self, class: &str, points: &[(f64, f64)]) {
        let list: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        self.push(format_args!(
            "<polyline class=\"{class}\" stroke-width=\"2\" points=\"{}\"/>",
            list.join(" ")
        ));
    }

    /// Text whose baseline is at the point.
    pub fn text(&mut self, class: &str, anchor: Anchor, at: (f64, f64), text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        self.push(format_args!(
            "<text class=\"{class}\" text-anchor=\"{anchor}\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            at.0,
            at.1,
            escape(text)
        ));
    }

    /// The drawing as an element.
    pub fn finish(self) -> String {
        let Svg { body, width, height, label } = self;
        format!(
            "<svg role=\"img\" aria-label=\"{label}\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\">{body}</svg>"
        )
    }
}

fn tooltip(tip: &str) -> String {
    match tip {
        "" => String::new(),
        tip => format!("<title>{}</title>", escape(tip)),
    }
}

/// A scale from values to coordinates, by logarithm.
pub struct LogScale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl LogScale {
    /// Whole powers of ten around positive values, drawn from `from` to `to`.
    pub fn around(values: &[f64], from: f64, to: f64) -> Self {
        let positive = || values.iter().copied().filter(|v| *v > 0.0);
        let low = positive().fold(f64::INFINITY, f64::min).log10().floor();
        let high = positive().fold(0.0, f64::max).log10().ceil();
        match low.is_finite() && high.is_finite() {
            true => LogScale { low, high: high.max(low + 1.0), from, to },
            false => LogScale { low: 0.0, high: 1.0, from, to },
        }
    }

    /// Where a value lies.
    pub fn at(&self, value: f64) -> f64 {
        let share = (value.max(f64::MIN_POSITIVE).log10() - self.low) / (self.high - self.low);
        self.from + share.clamp(0.0, 1.0) * (self.to - self.from)
    }

    /// The powers of ten.
    pub fn ticks(&self) -> Vec<f64> {
        (self.low as i32..=self.high as i32).map(|exponent| 10f64.powi(exponent)).collect()
    }
}

/// Seconds for people: three digits and a unit.
pub fn duration(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s >= 1.0 => (s, "s"),
        s if s >= 1e-3 => (s * 1e3, "ms"),
        s => (s * 1e6, "µs"),
    };
    match value {
        v if v >= 100.0 => format!("{v:.0} {unit}"),
        v if v >= 10.0 => format!("{v:.1} {unit}"),
        v => format!("{v:.2} {unit}"),
    }
}

/// 2 to the `log`, with a raised exponent.
pub fn power_of_two(log: u32) -> String {
    let raised = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let digits = log.to_string().bytes().map(|digit| raised[usize::from(digit - b'0')]).collect::<String>();
    format!("2{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_text_stays_text() {
        let mut svg = Svg::new(10.0, 10.0, "\"><script>");
        svg.text("ink", Anchor::Start, (0.0, 0.0), "<b>&");
        svg.rect("f0", (0.0, 0.0), (1.0, 1.0), 0.0, "<i>");
        let text = svg.finish();
        assert!(!text.contains("<script") && !text.contains("<b>") && !text.contains("<i>"), "{text}");
    }

    #[test]
    fn a_logarithmic_scale_spans_whole_powers_of_ten_whatever_it_is_given() {
        let scale = LogScale::around(&[0.02, 3.0], 100.0, 0.0);
        assert_eq!(scale.ticks(), [0.01, 0.1, 1.0, 10.0]);
        assert_eq!((scale.at(0.01), scale.at(10.0)), (100.0, 0.0));
        for odd in [&[][..], &[0.0], &[1.0]] {
            assert!(LogScale::around(odd, 0.0, 1.0).at(0.5).is_finite());
        }
    }

    #[test]
    fn exponents_are_raised() {
        assert_eq!((power_of_two(0), power_of_two(18)), ("2⁰".to_string(), "2¹⁸".to_string()));
    }

    #[test]
    fn durations_have_three_digits_and_a_unit() {
        let texts: Vec<String> = [12.34, 0.0123, 0.000_123, 1.0].iter().map(|s| duration(*s)).collect();
        assert_eq!(texts, ["12.3 s", "12.3 ms", "123 µs", "1.00 s"]);
    }
}
