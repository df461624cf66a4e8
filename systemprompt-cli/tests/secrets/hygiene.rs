//! A value comes in by standard input, and out nowhere.

use crate::installation::Installation;

const VALUE: &str = "hunter2-Tr0ub4dor-and-3";

#[test]
fn a_value_is_neither_said_nor_found_in_any_file() {
    let it = Installation::new();
    let inputs =
        [VALUE.to_owned(), format!("{VALUE}\n"), format!("{VALUE}\nanother {VALUE} line\n")];
    for (number, input) in inputs.iter().enumerate() {
        let name = format!("token-{number}");
        it.run(&["secrets", "set", &name], input).ok();
        it.run(&["secrets", "rotate", &name], input).ok();
        it.run(&["secrets", "set", &name], input).failed(1);
        it.run(&["--json", "secrets", "rotate", "nope"], input).failed(5);
        it.run(&["secrets", "set", "bad name"], input).failed(2);
        it.run(&["secrets", "grant", &name, "--server", "s", "--env", "T"], "").ok();
        let header = ["--server", "s", "--host", "a.example", "--header", "x"];
        let granted = it.run(&[&["secrets", "grant", &name][..], &header].concat(), "");
        assert_eq!(granted.code, if number == 2 { 2 } else { 0 }, "{}", granted.stderr);
    }
    it.run(&["secrets", "rotate", "token-0"], format!("{VALUE}\nX: y")).failed(2);
    it.run(&["secrets", "rotate", "token-0"], format!("{VALUE}\0")).failed(2);
    it.run(&["secrets", "rotate", "token-0"], [VALUE.as_bytes(), b"\xff"].concat()).failed(2);
    it.run(&["secrets", "rotate", "token-0"], VALUE.repeat(5_000)).failed(2);
    it.run(&["secrets", "list"], "").ok();
    it.run(&["--json", "secrets", "list"], "").ok();
    it.run(&["secrets", "rewrap"], "").ok();
    it.run(&["audit", "events"], "").ok();
    it.run(&["--json", "audit", "events"], "").ok();
    it.run(&["audit", "export"], "").ok();
    it.run(&["secrets", "revoke", "token-0", "--yes"], "").ok();
    assert!(it.knows("token-0") && it.knows("secret_created"), "something was looked at");
    for part in [VALUE, "hunter2", "Tr0ub4dor"] {
        assert!(!it.knows(part), "{part}");
    }
}

#[test]
fn a_value_on_the_command_line_is_refused_and_not_repeated() {
    let it = Installation::new();
    it.run(&["secrets", "set", "token"], "one").ok();
    let flag = format!("--value={VALUE}");
    let short = format!("-v{VALUE}");
    let attempts: [&[&str]; 12] = [
        &["secrets", "set", "new", VALUE],
        &["secrets", "set", "new", "--value", VALUE],
        &["secrets", "set", "new", &flag],
        &["secrets", "set", "new", &short],
        &["secrets", "set", "new", "--", VALUE],
        &["secrets", "rotate", "token", VALUE],
        &["secrets", "rotate", "token", "-p", VALUE],
        &["secrets", "grant", "token", VALUE],
        &["secrets", "import", VALUE],
        &["secrets", "put", VALUE],
        &["secrets", VALUE],
        &["secrets", "retire", "token", VALUE],
    ];
    for attempt in attempts {
        for json in [&[][..], &["--json"]] {
            let said = it.run(&[attempt, json].concat(), "from standard input").failed(2);
            assert!(!said.contains("hunter2"), "{attempt:?}: {said}");
            assert!(said.contains("standard input"), "{attempt:?}: {said}");
            assert!(json.is_empty() || said.starts_with('{'), "{said}");
        }
    }
    let listed = it.json(&["secrets", "list"], "");
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["versions"].as_array().unwrap().len(), 1);
}

#[test]
fn a_value_in_the_place_of_the_name_is_refused_and_not_repeated() {
    let it = Installation::new();
    let value = format!("ghp_{}", "16C7e42F292c6912E7710c838347Ae178B4a");
    let ran = it.run(&["secrets", "set", &value], &value);
    let said = ran.failed(2);
    assert!(said.contains("looks like a secret") && !said.contains(&value), "{said}");
    assert!(!it.knows(&value));
}

#[test]
fn help_says_where_values_come_from_and_offers_no_flag_for_them() {
    let it = Installation::new();
    for command in ["set", "rotate"] {
        let help = it.run(&["secrets", command, "--help"], "").ok().stdout;
        assert!(help.contains("standard input"), "{help}");
        assert!(!help.contains("--value") && !help.contains("[VALUE]"), "{help}");
    }
    let help = it.run(&["secrets", "--help"], "").ok().stdout;
    for command in ["set", "list", "rotate", "retire", "grant", "revoke", "rewrap"] {
        assert!(help.contains(&format!("  {command} ")), "{command}: {help}");
    }
}

#[test]
fn one_line_break_at_the_end_is_not_part_of_a_value() {
    // Seen by what a header may hold: it may hold no line break.
    let it = Installation::new();
    let header = ["--server", "s", "--host", "a.example", "--header", "x"];
    for (name, input, code) in [
        ("none", "value", 0),
        ("unix", "value\n", 0),
        ("windows", "value\r\n", 0),
        ("two", "value\n\n", 2),
        ("before", "\nvalue", 2),
        ("return", "value\r", 2),
    ] {
        it.run(&["secrets", "set", name], input).ok();
        let granted = it.run(&[&["secrets", "grant", name][..], &header].concat(), "");
        assert_eq!(granted.code, code, "{name}: {}", granted.stderr);
    }
}
