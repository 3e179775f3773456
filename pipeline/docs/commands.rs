//! The command line reference, from the flags themselves.

use super::{cell, head};
use crate::cli::Cli;
use clap::{Arg, ArgAction, Command, CommandFactory};

/// The page.
pub fn page() -> String {
    let mut command = Cli::command();
    command.build();
    let mut out = head("Command line");
    out += &format!("{}\n\n", sentence(&command));
    out += "Settings come from flags, then `PERKINS_*` variables, then `perkins.toml`.\n\n| exit code | meaning |\n|---|---|\n";
    for (code, meaning) in [
        (0, "done"),
        (1, "findings in the data, or a failed check"),
        (2, "the program or the machine failed"),
        (3, "a flag, setting, contract, rule or SQL file is wrong"),
        (10, "there is no lake, or no run yet"),
        (11, "another run holds the lock"),
    ] {
        out += &format!("| {code} | {meaning} |\n");
    }
    out.push('\n');
    for (name, sub) in commands("perkins", &command) {
        out += &format!("## `{name}`\n\n{}\n\n", sentence(sub));
        let shown = |a: &&Arg| {
            !a.is_global_set()
                && !a.is_hide_set()
                && !matches!(a.get_action(), ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version)
        };
        if !sub.has_subcommands() {
            table(&mut out, sub.get_arguments().filter(shown));
        }
    }
    out += "## Settings\n\nEvery command takes these.\n\n";
    table(&mut out, command.get_arguments().filter(|a| a.is_global_set()));
    out
}

/// The commands below one with their full names, each before those below it.
fn commands<'a>(name: &str, command: &'a Command) -> Vec<(String, &'a Command)> {
    let mut all = Vec::new();
    for sub in command.get_subcommands().filter(|s| s.get_name() != "help") {
        let name = format!("{name} {}", sub.get_name());
        let below = commands(&name, sub);
        all.push((name, sub));
        all.extend(below);
    }
    all
}

fn sentence(command: &Command) -> String {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    format!("{}.", about.trim_end_matches('.'))
}

fn table<'a>(out: &mut String, arguments: impl Iterator<Item = &'a Arg>) {
    let rows: Vec<String> = arguments.map(row).collect();
    if rows.is_empty() {
        *out += "No flags.\n\n";
        return;
    }
    *out += "| flag | meaning |\n|---|---|\n";
    *out += &rows.concat();
    out.push('\n');
}

fn row(argument: &Arg) -> String {
    let values: Vec<String> = argument.get_value_names().unwrap_or_default().iter().map(|v| format!("<{v}>")).collect();
    let takes = argument.get_action().takes_values();
    let flag = match argument.get_long() {
        Some(long) if takes => format!("--{long} {}", values.join(" ")),
        Some(long) => format!("--{long}"),
        None => values.join(" "),
    };
    let mut meaning = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let possible: Vec<String> = argument.get_possible_values().iter().filter(|_| takes).map(|v| format!("`{}`", v.get_name())).collect();
    if !possible.is_empty() {
        meaning += &format!("; one of {}", possible.join(", "));
    }
    let defaults: Vec<String> = argument.get_default_values().iter().filter(|_| takes).map(|v| v.to_string_lossy().into_owned()).collect();
    if !defaults.is_empty() {
        meaning += &format!(" [default: {}]", defaults.join(", "));
    }
    if let Some(variable) = argument.get_env() {
        meaning += &format!(" [variable: `{}`]", variable.to_string_lossy());
    }
    format!("| `{}` | {} |\n", cell(&flag), cell(&meaning).replace('<', "\\<"))
}
