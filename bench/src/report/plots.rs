//! The plots of the report, each a function from files to HTML, empty if the files have nothing for it.

use super::File;
use super::svg::{Anchor, Svg, duration, escape, power_of_two};
use crate::results::{Row, Target};
use crate::workload::Op;

/// Width of the plots that take the page's width.
const WIDTH: f64 = 940.0;
/// Not a library: how our own code scales.
pub(super) const ONE_THREAD: &str = "1 thread";
/// Colours of the style sheet; the last is for what has no colour of its own.
const COLOURS: usize = 9;

/// A legend of names and colours.
pub(super) fn legend(entries: &[(String, usize)]) -> String {
    let item = |(name, colour): &(String, usize)| {
        format!("<span><i class=\"b{}\"></i>{}</span>", colour % COLOURS, escape(name))
    };
    format!("<div class=\"legend\">{}</div>", entries.iter().map(item).collect::<String>())
}

/// Colours by first appearance.
#[derive(Default)]
pub(super) struct Palette(Vec<String>);

impl Palette {
    pub(super) fn of(&mut self, name: &str) -> usize {
        match self.0.iter().position(|known| known == name) {
            Some(i) => i.min(COLOURS - 1),
            None => {
                self.0.push(name.to_string());
                (self.0.len() - 1).min(COLOURS - 1)
            }
        }
    }

    pub(super) fn entries(&self) -> Vec<(String, usize)> {
        self.0.iter().enumerate().map(|(i, name)| (name.clone(), i.min(COLOURS - 1))).collect()
    }
}

/// Step of an axis from 0 to `max` with some five ticks.
fn step(max: f64) -> f64 {
    let rough = (max / 5.0).max(f64::MIN_POSITIVE);
    let power = 10f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|s| s * power).find(|s| *s >= rough).unwrap_or(rough)
}

/// A vertical grid with labels above it.
fn vertical_grid(
    svg: &mut Svg,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    max: f64,
    label: impl Fn(f64) -> String,
) {
    let step = step(max);
    for i in 0..=(max / step + 1e-9) as usize {
        let value = i as f64 * step;
        let x = left + (right - left) * value / max;
        svg.line("grid", (x, top), (x, bottom));
        svg.text("", Anchor::Middle, (x, top - 6.0), &label(value));
    }
}

/// Each comparison's ratio beside what it must reach and what it aims at.
pub fn targets(files: &[File]) -> String {
    let plot = |file: &File| {
        let targets = &file.results.targets;
        if targets.is_empty() {
            return String::new();
        }
        let (left, right, pitch, top) = (330.0, WIDTH - 120.0, 30.0, 26.0);
        let bottom = top + pitch * targets.len() as f64;
        let reach = |t: &Target| t.measured.max(t.aim.unwrap_or(t.at_least));
        let max = targets.iter().map(reach).fold(1.0, f64::max) * 1.04;
        let mut svg = Svg::new(WIDTH, bottom + 6.0, "Ratios reached and to be reached");
        vertical_grid(&mut svg, left, right, top, bottom, max, |v| format!("{v}x"));
        let x = |ratio: f64| left + (right - left) * ratio / max;
        for (i, t) in targets.iter().enumerate() {
            let y = top + pitch * i as f64 + 5.0;
            svg.text("ink", Anchor::Start, (0.0, y + 14.0), &t.title);
            svg.text("", Anchor::End, (left - 12.0, y + 14.0), &format!("vs {}", t.rival));
            let class = if t.met == Some(false) { "bad" } else { "f0" };
            let tip = format!(
                "{} against {}: {} here, {} there",
                t.title,
                t.rival,
                duration(t.seconds),
                duration(t.rival_seconds)
            );
            svg.rect("track", (left, y), (right - left, 20.0), 3.0, "");
            svg.rect(class, (left, y + 3.0), (x(t.measured) - left, 14.0), 3.0, &tip);
            svg.line("mark", (x(t.at_least), y), (x(t.at_least), y + 20.0));
            if let Some(aim) = t.aim {
                svg.line("aim", (x(aim), y), (x(aim), y + 20.0));
            }
            let (class, word) = match t.met {
                Some(true) if t.aim.is_some_and(|aim| t.measured >= aim) => ("good", " aim met"),
                Some(true) => ("good", " met"),
                Some(false) => ("bad", " missed"),
                None => ("strong", ""),
            };
            svg.text(class, Anchor::Start, (right + 10.0, y + 14.0), &format!("{:.2}x{word}", t.measured));
        }
        format!("{}<div class=\"scroll\">{}</div>", file.heading(files), svg.finish())
    };
    let plots: String = files.iter().map(plot).collect();
    section(
        "What must be reached",
        "How many times faster than the other library, on the same threads, runs interleaved. Solid mark: at least. Dashed mark: aim.",
        &plots,
    )
}

/// The operation for people; a name unknown to this version as it stands in the file.
pub(super) fn title(op: &str) -> &str {
    match Op::of(op) {
        Some(known) => known.title(),
        None => op,
    }
}

/// Kind of scalars, where it distinguishes figures of one operation.
pub(super) fn scalars(row: &Row) -> Option<&str> {
    row.scalars.as_deref().filter(|_| !row.op.starts_with("groth16"))
}

fn figure(row: &Row) -> String {
    let scalars = scalars(row).map(|s| format!(" {s}")).unwrap_or_default();
    format!("{} {}{scalars}", title(&row.op), power_of_two(row.log_size))
}

/// A figure and its bars: the library, the ratio, the row behind it.
type Group<'a> = (String, Vec<(&'a str, f64, &'a Row)>);

/// Each figure's ratio to each other library.
pub fn ratios(files: &[File]) -> String {
    let mut palette = Palette::default();
    palette.of("ours");
    let mut plots = String::new();
    for file in files {
        let mut groups: Vec<Group<'_>> = Vec::new();
        for row in &file.results.rows {
            let (Some(rival), Some(ratio)) = (row.rival.as_deref(), row.ratio) else { continue };
            if rival == ONE_THREAD {
                continue;
            }
            let name = format!("{}, {}, {} thr.", figure(row), row.backend, row.threads);
            match groups.iter_mut().find(|(known, _)| *known == name) {
                Some((_, bars)) => bars.push((rival, ratio, row)),
                None => groups.push((name, vec![(rival, ratio, row)])),
            }
        }
        if groups.is_empty() {
            continue;
        }
        let bars: usize = groups.iter().map(|(_, bars)| bars.len()).sum();
        let (left, right, top) = (250.0, WIDTH - 190.0, 26.0);
        let bottom = top + bars as f64 * 16.0 + groups.len() as f64 * 10.0;
        let max = groups.iter().flat_map(|(_, b)| b).map(|b| b.1).fold(1.0, f64::max) * 1.04;
        let mut svg = Svg::new(WIDTH, bottom + 6.0, "Ratio to other libraries");
        vertical_grid(&mut svg, left, right, top, bottom, max, |v| format!("{v}x"));
        let mut y = top + 4.0;
        for (name, bars) in &groups {
            svg.text("ink", Anchor::Start, (0.0, y + 12.0), name);
            for (rival, ratio, row) in bars {
                let width = (right - left) * ratio / max;
                let colour = palette.of(rival.strip_suffix(" u16").unwrap_or(rival));
                let theirs = row.rival_seconds.unwrap_or(0.0);
                let tip = format!("{rival}: {}, ours: {}", duration(theirs), duration(row.seconds));
                svg.rect(&format!("f{colour}"), (left, y + 1.0), (width, 13.0), 2.0, &tip);
                svg.text("", Anchor::Start, (left + width + 6.0, y + 12.0), &format!("{ratio:.2}x {rival}"));
                y += 16.0;
            }
            y += 10.0;
        }
        let one = left + (right - left) / max;
        svg.line("mark", (one, top), (one, bottom));
        plots += &format!("{}<div class=\"scroll\">{}</div>", file.heading(files), svg.finish());
    }
    section(
        "Ratio to other libraries",
        "The other library's median time over ours; right of the mark at 1 ours is faster. Point at a bar for both times.",
        &plots,
    )
}

/// A longer computation: its name and its parts' milliseconds.
type Whole<'a> = (String, Vec<(&'a str, f64)>);

/// Share of each stage in the longer computations; those of the same parts share a drawing.
pub fn stages(files: &[File]) -> String {
    let mut wholes: Vec<Whole<'_>> = Vec::new();
    for file in files {
        for stage in &file.results.stages {
            let mark = if files.len() > 1 { format!("{}: ", file.mark) } else { String::new() };
            let of = format!("{mark}{}", stage.of);
            match wholes.iter_mut().find(|(known, _)| *known == of) {
                Some((_, parts)) => parts.push((&stage.name, stage.ms)),
                None => wholes.push((of, vec![(&stage.name, stage.ms)])),
            }
        }
    }
    let mut plots = String::new();
    while let Some((_, parts)) = wholes.first() {
        let first = parts[0].0;
        let (alike, rest): (Vec<_>, Vec<_>) = wholes.into_iter().partition(|(_, parts)| parts[0].0 == first);
        plots += &stage_plot(&alike);
        wholes = rest;
    }
    section("Share of each stage", "Medians of the parts of a proof; at the right their sum.", &plots)
}

fn stage_plot(wholes: &[Whole<'_>]) -> String {
    let mut palette = Palette::default();
    let (left, right, pitch, top) = (250.0, WIDTH - 80.0, 34.0, 22.0);
    let bottom = top + pitch * wholes.len() as f64;
    let mut svg = Svg::new(WIDTH, bottom, "Share of each stage");
    vertical_grid(&mut svg, left, right, top, bottom, 1.0, |v| format!("{:.0} %", v * 100.0));
    for (i, (of, parts)) in wholes.iter().enumerate() {
        let total: f64 = parts.iter().map(|(_, ms)| ms).sum::<f64>().max(f64::MIN_POSITIVE);
        let (mut x, y) = (left, top + pitch * i as f64 + 6.0);
        svg.text("ink", Anchor::Start, (0.0, y + 16.0), of);
        for (name, ms) in parts {
            let share = ms / total;
            let width = (right - left) * share;
            let tip = format!("{name}: {} ({:.1} %)", duration(ms / 1e3), share * 100.0);
            // A gap of the card's colour between the parts.
            let class = format!("f{}", palette.of(name));
            svg.rect(&class, (x, y), ((width - 1.5).max(0.5), 24.0), 2.0, &tip);
            if width > 34.0 {
                svg.text(
                    "inside",
                    Anchor::Middle,
                    (x + width / 2.0, y + 16.0),
                    &format!("{:.0}%", share * 100.0),
                );
            }
            x += width;
        }
        svg.text("strong", Anchor::Start, (right + 8.0, y + 16.0), &duration(total / 1e3));
    }
    format!("{}<div class=\"scroll\">{}</div>", legend(&palette.entries()), svg.finish())
}

/// The machines' speed on the figures that all files share, each at its fastest backend and thread count; the first
/// file is 1.
pub fn machines(files: &[File]) -> String {
    let [first, others @ ..] = files else { return String::new() };
    if others.is_empty() {
        return String::new();
    }
    let fastest = |file: &'_ File, what: &str| -> Option<(f64, String)> {
        let rows = file.results.rows.iter().filter(|row| figure(row) == what);
        let best = rows.min_by(|a, b| a.seconds.total_cmp(&b.seconds))?;
        Some((best.seconds, format!("{}, {} thr.", best.backend, best.threads)))
    };
    let mut shared: Vec<(String, Vec<(f64, String)>)> = Vec::new();
    for row in &first.results.rows {
        let what = figure(row);
        let times: Vec<_> = files.iter().filter_map(|file| fastest(file, &what)).collect();
        if times.len() == files.len() && !shared.iter().any(|(known, _)| *known == what) {
            shared.push((what, times));
        }
    }
    let legend = legend(&files.iter().enumerate().map(|(i, f)| (f.label(), i)).collect::<Vec<_>>());
    if shared.is_empty() {
        let text = "<p>The files have no figure in common: no operation at the same size.</p>";
        return section("Comparison of machines", "", &format!("{legend}{text}"));
    }
    let (left, right, top) = (220.0, WIDTH - 220.0, 26.0);
    let height = files.len() as f64 * 15.0 + 12.0;
    let bottom = top + shared.len() as f64 * height;
    let speeds = || shared.iter().flat_map(|(_, times)| times.iter().map(|(t, _)| times[0].0 / t));
    let max = speeds().fold(1.0, f64::max) * 1.04;
    let mut svg = Svg::new(WIDTH, bottom + 6.0, "Speed of each machine");
    vertical_grid(&mut svg, left, right, top, bottom, max, |v| format!("{v}x"));
    for (i, (what, times)) in shared.iter().enumerate() {
        let y = top + i as f64 * height + 6.0;
        svg.text("ink", Anchor::Start, (0.0, y + 11.0), what);
        for (j, (seconds, how)) in times.iter().enumerate() {
            let (y, speed) = (y + j as f64 * 15.0, times[0].0 / seconds);
            let width = (right - left) * speed / max;
            let tip = format!("{}: {}", files[j].label(), duration(*seconds));
            svg.rect(&format!("f{}", j % COLOURS), (left, y), (width, 12.0), 2.0, &tip);
            svg.text(
                "",
                Anchor::Start,
                (left + width + 6.0, y + 10.0),
                &format!("{speed:.2}x, {}, {how}", duration(*seconds)),
            );
        }
    }
    let plot = format!("{legend}<div class=\"scroll\">{}</div>", svg.finish());
    section(
        "Comparison of machines",
        "Speed on the figures all files share, each machine at its fastest; the first file is 1.",
        &plot,
    )
}

/// A titled card; nothing if it has no content.
pub fn section(title: &str, text: &str, content: &str) -> String {
    match content {
        "" => String::new(),
        content => {
            format!("<section><h2>{}</h2><p>{}</p>{content}</section>\n", escape(title), escape(text))
        }
    }
}
