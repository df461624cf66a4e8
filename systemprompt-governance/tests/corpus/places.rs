//! Where people write credentials down.

use std::fmt::Write as _;

/// What a place takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Every credential.
    All,
    /// Only what is known by its form: there is no name.
    Form,
    /// Only passwords.
    Password,
}

use Takes::{All, Form, Password};

/// Kind of text, what it takes, and the text: `{n}` stands for the name as `api_key`, `{N}` as `API_KEY`,
/// `{c}` as `apiKey`, `{k}` as `api-key`, `{d}` as `api.key`, `{s}` as `api key`, `{v}` for the value,
/// `{64}` for its base64.
pub(crate) const PLACES: &[(&str, Takes, &str)] = &[
    ("alone", Form, "{v}"),
    ("prose", Form, "Please use {v} for the test, it is valid until Friday."),
    ("prose", Form, "I pasted it here: {v}"),
    ("prose", All, "Our {s} is {v}, please keep it."),
    ("prose", All, "{s}: {v}"),
    ("prose", All, "The {s} is `{v}`"),
    ("python", All, "{n} = \"{v}\""),
    ("python", All, "{N} = '{v}'"),
    ("python", All, "os.environ[\"{N}\"] = \"{v}\""),
    ("python", All, "client = Client({n}=\"{v}\", timeout=3)"),
    ("python", All, "config = {'{n}': '{v}', 'debug': False}"),
    ("python", All, "    {n}: str = \"{v}\""),
    ("python", All, "os.getenv(\"{N}\", \"{v}\")"),
    ("javascript", All, "const {c} = \"{v}\";"),
    ("javascript", All, "  {c}: '{v}',"),
    ("javascript", All, "let {c} = `{v}`;"),
    ("javascript", All, "process.env.{N} = '{v}'"),
    ("javascript", All, "new Client({ {c}: \"{v}\" })"),
    ("go", All, "{c} := \"{v}\""),
    ("go", All, "var {c} string = \"{v}\""),
    ("go", All, "{c} := `{v}`"),
    ("go", All, "os.Setenv(\"{N}\", \"{v}\")"),
    ("java", All, "String {c} = \"{v}\";"),
    ("java", All, "private static final String {N} = \"{v}\";"),
    ("java", All, "System.setProperty(\"{N}\", \"{v}\")"),
    ("java", All, "client.set(\"{c}\", \"{v}\");"),
    ("c", All, "#define {N} \"{v}\""),
    ("c", All, "const char *{n} = \"{v}\";"),
    ("c", All, "char {n}[] = \"{v}\";"),
    ("c#", All, "public string {c} { get; set; } = \"{v}\";"),
    ("c#", All, "string {c} = @\"{v}\";"),
    ("rust", All, "let {n} = \"{v}\";"),
    ("rust", All, "pub const {N}: &str = \"{v}\";"),
    ("rust", All, "let {n} = String::from(\"{v}\");"),
    ("ruby", All, "{n} = '{v}'"),
    ("ruby", All, "  :{n} => \"{v}\","),
    ("ruby", All, "ENV['{N}'] ||= '{v}'"),
    ("php", All, "${n} = \"{v}\";"),
    ("php", All, "    '{n}' => '{v}',"),
    ("php", All, "define('{N}', '{v}');"),
    ("php", All, "putenv(\"{N}={v}\");"),
    ("php", All, "${n} .= \"{v}\""),
    ("swift, kotlin", All, "let {c}: String = \"{v}\""),
    ("swift, kotlin", All, "val {c} = \"{v}\""),
    ("lua, r", All, "local {n} = \"{v}\""),
    ("lua, r", All, "{n} <- \"{v}\""),
    ("lua, r", All, "Sys.setenv({N} = \"{v}\")"),
    ("other operators", All, "{n} => \"{v}\""),
    ("other operators", All, "{n} ::= \"{v}\""),
    ("other operators", All, "{n} ||: \"{v}\""),
    ("other operators", All, "{n}?: \"{v}\""),
    ("other operators", All, "{n}?=\"{v}\""),
    ("other operators", All, "{n} = \"\"\"{v}\"\"\""),
    ("shell", All, "export {N}={v}"),
    ("shell", All, "export {N}=\"{v}\""),
    ("shell", All, "{N}={v} ./run.sh"),
    ("shell", All, "set -x {N} {v}"),
    ("shell", All, "setenv {N} {v}"),
    ("windows", All, "set {N}={v}"),
    ("windows", All, "setx {N} \"{v}\""),
    ("windows", All, "$env:{N} = \"{v}\""),
    ("make", All, "{N} := {v}"),
    ("make", All, "{N} ?= {v}"),
    ("json", All, "{\"{n}\": \"{v}\"}"),
    ("json", All, "{\"host\":\"h\",\"{c}\":\"{v}\",\"port\":80}"),
    ("json", All, "{\\\"{n}\\\":\\\"{v}\\\"}"),
    ("json", All, "{\"name\": \"{N}\", \"value\": \"{v}\"}"),
    ("json", All, "{\"key\":\"{N}\",\"value\":\"{v}\",\"type\":\"string\"}"),
    ("yaml", All, "{n}: {v}"),
    ("yaml", All, "  {c}: \"{v}\""),
    ("yaml", All, "  {n}: '{v}' # production"),
    ("yaml", All, "- name: {N}\n  value: \"{v}\""),
    ("yaml", All, "{n}: >-\n  {v}\n"),
    ("toml, ini", All, "{n} = \"{v}\"\nregion = \"eu\""),
    ("toml, ini", All, "[service]\n{n}={v}\nretries=3"),
    ("toml, ini", All, "{d}={v}"),
    (".env", All, "{N}={v}"),
    (".env", All, "{N}=\"{v}\"\nDEBUG=true"),
    ("xml", All, "<{c}>{v}</{c}>"),
    ("xml", All, "<{c}>\n    {v}\n</{c}>"),
    ("xml", All, "<add key=\"{c}\" value=\"{v}\" />"),
    ("xml", All, "<property name=\"{d}\" value=\"{v}\"/>"),
    ("xml", All, "<key>{c}</key>\n<string>{v}</string>"),
    ("terraform", All, "  {n} = \"{v}\""),
    ("terraform", All, "variable \"{n}\" {\n  default = \"{v}\"\n}"),
    ("docker", All, "ENV {N}={v}"),
    ("docker", All, "ENV {N} {v}"),
    ("docker", All, "ARG {N}={v}"),
    ("docker", All, "docker run -e {N}={v} image"),
    ("docker", All, "      - {N}={v}"),
    ("command line", All, "tool --{k} {v} --verbose"),
    ("command line", All, "tool --{k}={v}"),
    ("command line", All, "tool --{k} \"{v}\""),
    ("url", All, "https://api.example.com/v1/items?{n}={v}&page=2"),
    ("url", All, "curl 'https://api.example.com/?q=1&{n}={v}'"),
    ("header", All, "X-{k}: {v}"),
    ("header", All, "curl -H \"{k}: {v}\" https://api.example.com"),
    ("header", All, "headers = {'{k}': '{v}'}"),
    ("header", All, "Authorization: Bearer {v}"),
    ("header", All, "{\"Authorization\": \"Token {v}\"}"),
    ("curl -u", All, "curl -u api:{v} https://api.example.com/v1"),
    ("curl -u", Form, "curl https://api.example.com/v1 -u {v}:"),
    ("log", All, "2026-11-26T10:15:30Z DEBUG request sent {n}={v} status=200"),
    ("log", All, "level=info msg=\"login\" {c}=\"{v}\""),
    ("log", All, "[INFO] {s}: {v}"),
    ("comment", All, "# {n}: {v}"),
    ("comment", All, "// TODO remove {c} = {v}"),
    ("comment", All, "/* {s} {v} */"),
    ("table", All, "| {n} | {v} |"),
    ("table", All, "{n},{v}"),
    ("table", All, "INSERT INTO settings (name, value) VALUES ('{n}', '{v}');"),
    ("kubernetes", All, "kind: Secret\nstringData:\n  {n}: {v}"),
    ("kubernetes", All, "apiVersion: v1\nkind: Secret\ndata:\n  {k}: {64}\ntype: Opaque"),
    ("ci", All, "env:\n  {N}: {v}"),
    ("ci", All, "##vso[task.setvariable variable={N}]{v}"),
    ("npmrc, netrc", Form, "//registry.npmjs.org/:_authToken={v}"),
    ("npmrc, netrc", All, "machine api.example.com login deploy password {v}"),
    ("connection", All, "postgres://app:{v}@db.internal:5432/app"),
    ("connection", Password, "Server=db;Database=app;User Id=sa;Password={v};Encrypt=true"),
    ("connection", Password, "jdbc:mysql://db:3306/app?user=app&password={v}&useSSL=true"),
    ("connection", Password, "host=db user=app password={v} dbname=app"),
    ("connection", Password, "mysql -u root --password={v} app"),
    ("connection", Password, "CREATE USER app WITH PASSWORD '{v}';"),
    ("connection", Password, "ALTER USER 'app'@'%' IDENTIFIED BY '{v}';"),
    ("connection", Password, "sshpass -p '{v}' ssh root@host"),
];

/// Puts the credential into a place.
pub(crate) fn write(place: &str, name: &str, value: &str) -> String {
    let words = words(name);
    let joined = |by: &str| words.join(by);
    // Letters of one case or another are part of some names; those stay where one word is all there is.
    place
        .replace("{n}", &joined("_"))
        .replace("{N}", &joined("_").to_uppercase())
        .replace("{c}", &camel(&words))
        .replace("{k}", &joined("-"))
        .replace("{d}", &joined("."))
        .replace("{s}", &joined(" "))
        .replace("{64}", &base64(value))
        .replace("{v}", value)
}

/// The words of a name, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut previous = ' ';
    for unit in name.chars() {
        if matches!(unit, '_' | '-') || (unit.is_uppercase() && previous.is_lowercase()) {
            words.push(String::new());
        }
        if unit.is_alphanumeric() {
            words.last_mut().unwrap().extend(unit.to_lowercase());
        }
        previous = unit;
    }
    words.retain(|word| !word.is_empty());
    words
}

fn camel(words: &[String]) -> String {
    let mut name = words[0].clone();
    for word in &words[1..] {
        let (first, rest) = word.split_at(1);
        let _ = write!(name, "{}{rest}", first.to_uppercase());
    }
    name
}

fn base64(text: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for three in text.as_bytes().chunks(3) {
        let bits = (0..3).fold(0, |bits, at| bits << 8 | usize::from(*three.get(at).unwrap_or(&0)));
        for at in 0..=three.len() {
            encoded.push(char::from(ALPHABET[bits >> (18 - 6 * at) & 63]));
        }
        encoded += &"=="[..3 - three.len()];
    }
    encoded
}
