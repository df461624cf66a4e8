//! What the macros say to those who use them wrongly: one error each, with the way out.

#[test]
fn a_mistake_gives_one_clear_error() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass_*.rs");
    cases.compile_fail("tests/ui/fail_*.rs");
}
