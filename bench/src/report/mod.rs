//! `prover-bench report`: results files as one HTML page with plots that needs no network and no script.
//! It shows only what the files hold; a missing kind of figure leaves out its plot.

mod plots;
mod sizes;
mod svg;

use crate::Failure;
use crate::results::{self, Results, Row};
use std::path::{Path, PathBuf};
use svg::{duration, escape};

/// Arguments.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Results files that `--json` wrote, of one machine or of several.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// The page to write.
    #[arg(long, short, default_value = "target/bench/report.html")]
    pub out: PathBuf,
}

/// A results file and its short name in plots.
pub struct File {
    /// A letter.
    pub mark: char,
    /// The file's name without its ending.
    pub name: String,
    /// What it holds.
    pub results: Results,
}

impl File {
    fn label(&self) -> String {
        format!(
            "{}: {} ({}, {} threads)",
            self.mark, self.name, self.results.machine.cpu, self.results.machine.threads
        )
    }

    /// A heading over the file's own plot, where there are several files.
    fn heading(&self, files: &[File]) -> String {
        match files.len() {
            1 => String::new(),
            _ => format!("<h3>{}</h3>", escape(&self.label())),
        }
    }
}

/// Reads the files and writes the page.
///
/// # Errors
/// A file that cannot be read or written.
pub fn run(args: &Args) -> Result<(), Failure> {
    let files = args.files.iter().map(|path| Ok((name(path), Results::read(path)?)));
    let page = render(files.collect::<Result<_, Failure>>()?);
    results::write_text(&args.out, &page)?;
    println!("{}", args.out.display());
    Ok(())
}

fn name(path: &Path) -> String {
    path.file_stem().map_or_else(|| "results".into(), |stem| stem.to_string_lossy().into_owned())
}

/// The page.
pub fn render(files: Vec<(String, Results)>) -> String {
    let marks = ('A'..='Z').chain('a'..='z').chain(std::iter::repeat('?'));
    let files: Vec<File> =
        files.into_iter().zip(marks).map(|((name, results), mark)| File { mark, name, results }).collect();
    let files = &files[..];
    let sections = [
        plots::targets(files),
        plots::ratios(files),
        sizes::sizes(files),
        plots::stages(files),
        plots::machines(files),
        machines_table(files),
        figures_table(files),
    ];
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>Lathe benchmarks</title><style>\n{}</style></head>\n<body><main>\n{}{}</main></body></html>\n",
        include_str!("style.css"),
        header(files),
        sections.concat()
    )
}

fn header(files: &[File]) -> String {
    let mut machines: Vec<String> = Vec::new();
    for file in files {
        let m = &file.results.machine;
        let line =
            format!("{}, {} threads, {}", m.cpu, m.threads, m.date.split('T').next().unwrap_or_default());
        if !machines.contains(&line) {
            machines.push(line);
        }
    }
    let quick = files.iter().filter(|f| f.results.command == "quick");
    let mark = |file: &File| if files.len() > 1 { format!("{}: ", file.mark) } else { String::new() };
    let notes = quick.flat_map(|f| f.results.notes.iter().map(move |note| mark(f) + note));
    let lead: String = notes.map(|note| format!("<p class=\"lead\">{}</p>", escape(&note))).collect();
    format!("<h1>Lathe benchmarks</h1><p>{}</p>{lead}\n", escape(&machines.join(" · ")))
}

/// What each file was measured on.
fn machines_table(files: &[File]) -> String {
    type Field = (&'static str, fn(&File) -> String);
    let fields: [Field; 11] = [
        ("file", |f| format!("{}: {}", f.mark, f.name)),
        ("command", |f| f.results.command.clone()),
        ("processor", |f| f.results.machine.cpu.clone()),
        ("cores, threads", |f| format!("{}, {}", f.results.machine.cores, f.results.machine.threads)),
        ("instruction sets", |f| f.results.machine.cpu_features.join(" ")),
        ("memory", |f| format!("{:.1} GiB", f.results.machine.memory_bytes as f64 / f64::from(1 << 30))),
        ("load at the start", |f| f.results.machine.load.map_or("unknown".into(), |l| format!("{l:.2}"))),
        ("devices", devices),
        ("commit, date", |f| format!("{}, {}", f.results.machine.commit, f.results.machine.date)),
        ("compiler", |f| format!("{}, {}", f.results.machine.rustc, f.results.machine.target)),
        ("versions", |f| f.results.machine.versions.iter().map(|(n, v)| format!("{n} {v} ")).collect()),
    ];
    let row = |(name, value): &Field| {
        let cells: String = files.iter().map(|f| format!("<td>{}</td>", escape(&value(f)))).collect();
        format!("<tr><th>{name}</th>{cells}</tr>")
    };
    let rows: String = fields.iter().map(row).collect();
    let notes: String = files
        .iter()
        .filter(|f| f.results.command != "quick")
        .flat_map(|f| &f.results.notes)
        .map(|note| format!("<p>{}</p>", escape(note)))
        .collect();
    plots::section(
        "Machines and builds",
        "",
        &format!("<div class=\"scroll\"><table>{rows}</table></div>{notes}"),
    )
}

fn devices(file: &File) -> String {
    let mut seen: Vec<&str> = Vec::new();
    for row in &file.results.rows {
        if !seen.contains(&row.device.as_str()) {
            seen.push(&row.device);
        }
    }
    seen.join("; ")
}

/// Every figure with its statistics.
fn figures_table(files: &[File]) -> String {
    let line = |file: &File, row: &Row| {
        let spread = 100.0 * row.stats.mad / row.stats.median.max(f64::MIN_POSITIVE);
        let cell = |text: String| format!("<td>{}</td>", escape(&text));
        let number = |text: String| format!("<td class=\"n\">{}</td>", escape(&text));
        [
            cell(format!("{}", file.mark)),
            cell(row.op.clone()),
            number(format!("2^{}", row.log_size)),
            cell(row.scalars.clone().unwrap_or_default()),
            number(row.threads.to_string()),
            cell(row.backend.clone()),
            number(duration(row.stats.median)),
            number(format!("{} to {}", duration(row.stats.min), duration(row.stats.max))),
            number(format!("{spread:.1} %, {} runs", row.stats.runs.len())),
            cell(row.rival.clone().unwrap_or_default()),
            number(row.rival_seconds.map_or_else(String::new, duration)),
            number(row.ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}x"))),
        ]
        .concat()
    };
    let rows: String = files
        .iter()
        .flat_map(|file| file.results.rows.iter().map(move |row| (file, row)))
        .map(|(file, row)| format!("<tr>{}</tr>", line(file, row)))
        .collect();
    let head = "<tr><th>file</th><th>operation</th><th class=\"n\">size</th><th>scalars</th><th class=\"n\">threads</th>\
                <th>backend</th><th class=\"n\">median</th><th class=\"n\">range</th><th class=\"n\">deviation</th>\
                <th>against</th><th class=\"n\">median</th><th class=\"n\">ratio</th></tr>";
    let table = format!(
        "<details open><summary>Every figure</summary><div class=\"scroll\"><table>{head}{rows}</table></div></details>"
    );
    format!(
        "<section>{table}<p>Deviation: median absolute deviation, as a share of the median.</p></section>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{Compared, Stats};
    use crate::results::{Stage, Subject, Target};

    /// A file with every kind of figure, `speed` times as fast as another.
    fn file(speed: f64) -> Results {
        let mut results = Results::new("table");
        for (op, scalars) in [("msmG1", Some("full")), ("fft", None), ("groth16", Some("full"))] {
            for log_size in [16, 18, 20] {
                let time = f64::from(1 << (log_size - 16)) * 0.01 / speed;
                let subject = Subject {
                    op: op.into(),
                    log_size,
                    scalars: scalars.map(str::to_string),
                    threads: 2,
                    backend: "cpu".into(),
                    device: "cpu <test>".into(),
                };
                let ours = Stats::of(vec![time, time * 1.1, time * 0.9]);
                let rivals = vec![("arkworks".to_string(), Stats::of(vec![time * 8.0]))];
                results.rows.extend(subject.rows(&Compared { ours, rivals }));
            }
        }
        results.stages = vec![
            Stage::new("Groth16 2^18", "quotient", vec![20.0]),
            Stage::new("Groth16 2^18", "MSM h", vec![80.0]),
        ];
        let target = |measured: f64| Target {
            title: "MSM G1 2^20".into(),
            rival: "arkworks".into(),
            at_least: 6.0,
            aim: Some(10.0),
            measured,
            seconds: 0.16,
            rival_seconds: 1.28,
            met: Some(measured >= 6.0),
        };
        results.targets = vec![target(8.0), target(5.0)];
        results
    }

    #[test]
    fn a_page_has_every_plot_its_files_have_figures_for() {
        let page = render(vec![("one".into(), file(1.0)), ("two".into(), file(2.0))]);
        for title in [
            "What must be reached",
            "Ratio to other libraries",
            "Size against time",
            "Share of each stage",
            "Comparison of machines",
            "Machines and builds",
        ] {
            assert!(page.contains(&format!("<h2>{title}</h2>")), "no {title}");
        }
        // One drawing of targets and of ratios for each file, one for each of three operations by size, one of the
        // stages, one of the machines.
        assert_eq!(page.matches("<svg ").count(), 2 + 2 + 3 + 1 + 1);
        assert!(page.contains("5.00x missed") && page.contains("8.00x met"));
        assert!(page.contains("2.00x, "), "the second machine is twice as fast");
    }

    #[test]
    fn a_page_needs_no_network_and_no_script_and_keeps_text_as_text() {
        let page = render(vec![("<one>".into(), file(1.0))]);
        for word in ["http", "<script", "src=", "url(", "@import", "<one>", "<test>"] {
            assert!(!page.contains(word), "{word}");
        }
        assert!(page.contains("prefers-color-scheme: dark"));
    }

    #[test]
    fn a_file_without_figures_still_gives_a_page_that_names_its_machine() {
        let page = render(vec![("empty".into(), Results::new("kernels"))]);
        assert!(page.contains("Machines and builds") && !page.contains("<svg "));
    }
}
