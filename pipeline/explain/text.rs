//! An answer for people.

use super::{Answer, Decision, Fact, Indicator, Program, RuleValue, Topic};
use std::collections::BTreeSet;

/// Columns of a line.
const WIDTH: usize = 110;

/// The answer as text.
pub fn text(answer: &Answer) -> String {
    let year = answer.report_year;
    let mut out =
        format!("Student {}, report year {year} (1 July {} to 30 June {year}), {}\n\n", answer.student_id, year - 1, answer.jurisdiction);
    answer.student.iter().for_each(|t| topic(&mut out, 2, t));
    for program in &answer.programs {
        out.push('\n');
        program_block(&mut out, program);
    }
    if answer.programs.is_empty() {
        out += &format!("\nNo course or program enrollment as of {year}: the student is in no indicator.\n");
        return out;
    }
    rules_of_status(&mut out, &answer.programs);
    for indicator in answer.indicators.iter().filter(|i| looks(i)) {
        out.push('\n');
        indicator_block(&mut out, indicator);
    }
    nowhere(&mut out, &answer.indicators);
    out
}

/// Whether the indicator looks at any of the programs.
fn looks(indicator: &Indicator) -> bool {
    indicator.programs.iter().any(|d| d.candidate)
}

/// The indicators that look at none of the programs, level by level: the reason is the same for all of a level.
fn nowhere(out: &mut String, indicators: &[Indicator]) {
    let levels: BTreeSet<&str> = indicators.iter().filter(|i| !looks(i)).map(|i| i.education_level.as_str()).collect();
    for level in levels {
        let of_level: Vec<&Indicator> = indicators.iter().filter(|i| i.education_level == level && !looks(i)).collect();
        let ids: Vec<&str> = of_level.iter().map(|i| i.indicator.as_str()).collect();
        let programs = of_level.first().map(|i| i.programs.as_slice()).unwrap_or_default();
        let why = if programs.is_empty() { format!(". The student has no {level} program.") } else { String::new() };
        out.push('\n');
        line(out, "", 4, &format!("{}: not counted{why}", ids.join(", ")));
        for program in programs {
            line(out, &format!("  Program {}: ", program.program_id), 6, &format!("{}.", program.reason.as_deref().unwrap_or_default()));
        }
    }
}

fn topic(out: &mut String, indent: usize, topic: &Topic) {
    let mut seen = BTreeSet::new();
    let facts = topic.facts.iter().filter(|f| seen.insert(f.as_str()));
    for (i, fact) in facts.enumerate() {
        let label = if i == 0 { topic.title.as_str() } else { "" };
        line(out, &format!("{:indent$}{label:<24}", ""), indent + 24, fact);
    }
}

fn program_block(out: &mut String, program: &Program) {
    line(out, "", 2, &format!("Program {}: {}", program.program_id, program.description));
    program.topics.iter().for_each(|t| topic(out, 2, t));
}

/// The rules that the programs' topics name, once each; a number of 0 asks nothing.
fn rules_of_status(out: &mut String, programs: &[Program]) {
    let mut seen: Vec<&RuleValue> = Vec::new();
    for rule in programs.iter().flat_map(|p| &p.topics).flat_map(|t| &t.rules).filter(|r| r.value != "0") {
        if !seen.contains(&rule) {
            seen.push(rule);
        }
    }
    if !seen.is_empty() {
        out.push('\n');
        seen.into_iter().for_each(|r| rule(out, 0, r));
    }
}

fn rule(out: &mut String, indent: usize, rule: &RuleValue) {
    let value = rule.value.replace(',', ", ").replace('_', " ");
    line(out, &format!("{:indent$}Rule: ", ""), indent + 6, &format!("{}: {value} ({})", rule.title, rule.authority));
}

fn indicator_block(out: &mut String, indicator: &Indicator) {
    let verdict = match (indicator.denominator, indicator.numerator) {
        (true, true) => "COUNTED, and in the numerator",
        (true, false) => "COUNTED, but not in the numerator",
        (false, _) => "not counted",
    };
    line(out, "", 4, &format!("{} {}: {verdict}", indicator.indicator, indicator.title));
    // Programs about which there is the same to say are said together.
    let mut said: Vec<(Vec<&str>, &Decision)> = Vec::new();
    for decision in &indicator.programs {
        match said.iter_mut().find(|(_, d)| d.same(decision)) {
            Some((ids, _)) => ids.push(&decision.program_id),
            None => said.push((vec![&decision.program_id], decision)),
        }
    }
    said.iter().for_each(|(ids, d)| decision(out, indicator, ids, d));
    indicator.rules.iter().for_each(|r| rule(out, 2, r));
    line(out, "  Authority: ", 13, &indicator.authority);
}

fn decision(out: &mut String, indicator: &Indicator, programs: &[&str], decision: &Decision) {
    let start = format!("  Program{} {}: ", if programs.len() > 1 { "s" } else { "" }, programs.join(", "));
    if !decision.candidate {
        return line(out, &start, 6, &format!("not counted: {}.", decision.reason.as_deref().unwrap_or_default()));
    }
    if !decision.denominator {
        line(out, &start, 6, &format!("not in the denominator: {}.", decision.reason.as_deref().unwrap_or_default()));
        if !decision.denominator_facts.is_empty() {
            line(out, "      ", 8, &decided("Decided by", &decision.denominator_facts));
        }
        return;
    }
    line(
        out,
        &start,
        6,
        if decision.numerator { "in the denominator and in the numerator." } else { "in the denominator, not in the numerator." },
    );
    let yes_or_no = if decision.numerator { "Yes" } else { "No" };
    if decision.numerator_facts.is_empty() || decision.denominator_facts == decision.numerator_facts {
        line(out, "      ", 8, &format!("Denominator: {}. Yes.", indicator.denominator_text));
        line(out, "      ", 8, &format!("Numerator: {}. {yes_or_no}.", indicator.numerator_text));
        return line(out, "      ", 8, &decided("Decided by", &decision.denominator_facts));
    }
    line(out, "      ", 8, &format!("Denominator: {}. {}", indicator.denominator_text, decided("Yes", &decision.denominator_facts)));
    line(out, "      ", 8, &format!("Numerator: {}. {}", indicator.numerator_text, decided(yes_or_no, &decision.numerator_facts)));
}

fn decided(start: &str, facts: &[Fact]) -> String {
    let fact = |f: &Fact| if f.facts.is_empty() { format!("{}: none", lower_first(&f.title)) } else { f.facts.join("; ") };
    if facts.is_empty() { format!("{start}.") } else { format!("{start}: {}.", facts.iter().map(fact).collect::<Vec<_>>().join("; ")) }
}

/// A text as one or more lines: the first after `start`, the others after so many blanks.
fn line(out: &mut String, start: &str, indent: usize, text: &str) {
    let mut at = start.chars().count();
    out.push_str(start);
    let mut first = true;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if !first && at + 1 + length > WIDTH {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            at = indent;
        } else if !first {
            out.push(' ');
            at += 1;
        }
        out.push_str(word);
        at += length;
        first = false;
    }
    out.push('\n');
}

/// The text with a small first letter, unless it begins with an abbreviation or an id.
pub fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(a), Some(b)) if a.is_uppercase() && b.is_lowercase() => a.to_lowercase().chain(std::iter::once(b)).chain(chars).collect(),
        _ => text.to_string(),
    }
}
