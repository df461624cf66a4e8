//! At a terminal a value is asked for, and not shown.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::process::Stdio;
use std::time::Duration;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::installation::{Installation, Ran};

/// Runs a command at a terminal, types each line when the prompt that goes with it was shown, and says what the
/// command said, and what the terminal has shown of what was typed.
fn at_a_terminal(it: &Installation, args: &[&str], typed: &[(&str, &str)]) -> (Ran, String) {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
    let mut terminal = File::from(terminal);
    let keyboard = OpenOptions::new().read(true).write(true).open(&name).unwrap();
    let mut child = it
        .command(args)
        .stdin(Stdio::from(keyboard))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut prompts = child.stderr.take().unwrap();
    let mut said = String::new();
    for (prompt, line) in typed {
        while !said.ends_with(prompt) {
            let mut byte = [0];
            if prompts.read(&mut byte).unwrap() == 0 {
                panic!("no `{prompt}` in `{said}`");
            }
            said.push(char::from(byte[0]));
        }
        writeln!(terminal, "{line}").unwrap();
    }
    prompts.read_to_string(&mut said).unwrap();
    let mut ran = it.heard(child.wait_with_output().unwrap());
    ran.stderr = said;
    // Whatever the terminal echoed lies ready.
    let shown = std::thread::spawn(move || {
        let mut shown = [0; 4096];
        let read = terminal.read(&mut shown).unwrap_or(0);
        String::from_utf8_lossy(&shown[..read]).into_owned()
    });
    let start = std::time::Instant::now();
    while !shown.is_finished() && start.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(10));
    }
    let shown = if shown.is_finished() { shown.join().unwrap() } else { String::new() };
    (ran, shown)
}

const VALUE: &str = "typed-hunter2";

#[test]
fn a_value_is_asked_for_twice_and_not_shown() {
    let it = Installation::new();
    let prompts = [("value of `token`: ", VALUE), ("once more: ", VALUE)];
    let (ran, shown) = at_a_terminal(&it, &["secrets", "set", "token"], &prompts);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(!shown.contains("hunter2") && !ran.stderr.contains("hunter2"), "{shown}");
    assert_eq!(it.json(&["secrets", "list"], "")[0]["versions"].as_array().unwrap().len(), 1);
    assert!(!it.knows(VALUE));
}

#[test]
fn two_different_values_are_refused() {
    let it = Installation::new();
    let prompts = [("value of `token`: ", VALUE), ("once more: ", "typed-hunter3")];
    let (ran, shown) = at_a_terminal(&it, &["secrets", "set", "token"], &prompts);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("two different values"), "{}", ran.stderr);
    assert!(!shown.contains("hunter") && !ran.stderr.contains("hunter"), "{shown}");
    assert_eq!(it.json(&["secrets", "list"], "").as_array().unwrap().len(), 0);
}
