//! Which headers and variables may be declared at all.

use http::HeaderName;

/// Headers that say where a message goes, how long it is or how it is coded. To set them by hand is to
/// smuggle requests (RFC 9112, section 11.2), or to ask for answers that cannot be searched.
const HEADERS: [&str; 17] = [
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "max-forwards",
    "proxy-connection",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];

/// Headers that carry a client's own credentials. They may be declared, and are never passed on.
const CREDENTIALS: [&str; 12] = [
    "api-key",
    "authentication",
    "authorization",
    "cookie",
    "cookie2",
    "dpop",
    "ocp-apim-subscription-key",
    "private-token",
    "proxy-authorization",
    "x-amz-security-token",
    "x-api-key",
    "x-goog-api-key",
];

/// Variables that change what code a program, its interpreter, its shell or its loader runs, where names
/// are resolved, or where the keys of its connections are written.
const VARIABLES: [&str; 71] = [
    "BASHOPTS",
    "BASH_ENV",
    "BROWSER",
    "BUN_INSPECT_PRELOAD",
    "BUN_OPTIONS",
    "BUNDLE_GEMFILE",
    "CDPATH",
    "CLASSPATH",
    "COMSPEC",
    "DOTNET_STARTUP_HOOKS",
    "EDITOR",
    "ELECTRON_RUN_AS_NODE",
    "ENV",
    "GCONV_PATH",
    "GEM_HOME",
    "GEM_PATH",
    "GIT_ASKPASS",
    "GIT_DIR",
    "GIT_EDITOR",
    "GIT_EXEC_PATH",
    "GIT_EXTERNAL_DIFF",
    "GIT_PAGER",
    "GIT_PROXY_COMMAND",
    "GIT_SEQUENCE_EDITOR",
    "GIT_TEMPLATE_DIR",
    "GLIBC_TUNABLES",
    "HOSTALIASES",
    "IFS",
    "JAVA_OPTIONS",
    "JAVA_OPTS",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "LESSCLOSE",
    "LESSOPEN",
    "LOCALDOMAIN",
    "LOCPATH",
    "LUA_CPATH",
    "LUA_INIT",
    "LUA_PATH",
    "MANPAGER",
    "NLSPATH",
    "NODE_EXTRA_CA_CERTS",
    "NODE_OPTIONS",
    "NODE_PATH",
    "NODE_REPL_EXTERNAL_MODULE",
    "NODE_TLS_REJECT_UNAUTHORIZED",
    "OPENSSL_CONF",
    "OPENSSL_ENGINES",
    "OPENSSL_MODULES",
    "PAGER",
    "PATH",
    "PATHEXT",
    "PHPRC",
    "PHP_INI_SCAN_DIR",
    "PROMPT_COMMAND",
    "PS4",
    "PSMODULEPATH",
    "RESOLV_HOST_CONF",
    "RES_OPTIONS",
    "RUSTC_WRAPPER",
    "SHELL",
    "SHELLOPTS",
    "SSLKEYLOGFILE",
    "SYSTEMROOT",
    "TCLLIBPATH",
    "TERMINFO",
    "VISUAL",
    "WINDIR",
    "XDG_CONFIG_DIRS",
    "ZDOTDIR",
    "_JAVA_OPTIONS",
];

/// The same, by how they begin.
const VARIABLE_PREFIXES: [&str; 15] = [
    "BASH_FUNC_",
    "CORECLR_",
    "COR_",
    "DYLD_",
    "GIT_CONFIG",
    "GIT_SSH",
    "LD_",
    "LUA_INIT_",
    "LUA_PATH_",
    "MALLOC_",
    "NPM_CONFIG_",
    "PERL",
    "PYTHON",
    "RUBY",
    "R_PROFILE",
];

/// What begins like that and only changes how text is written.
const HARMLESS: [&str; 5] = [
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONHASHSEED",
    "PYTHONIOENCODING",
    "PYTHONUNBUFFERED",
    "PYTHONUTF8",
];

/// The one of them that programs need. Written out, from folders that are named from the root, it may be
/// declared; a secret never goes there.
pub(super) const PATH: &str = "PATH";

/// Why a header cannot be declared; `None` when it can.
pub(crate) fn header(name: &HeaderName) -> Option<&'static str> {
    let name = name.as_str();
    if HEADERS.contains(&name) || name.starts_with("proxy-") || name.starts_with("sec-") {
        return Some("says how a message is sent and is not for declarations");
    }
    None
}

/// Why a header of the caller cannot be passed on; `None` when it can.
pub(super) fn forwarded_header(name: &HeaderName) -> Option<&'static str> {
    let text = name.as_str();
    if CREDENTIALS.contains(&text) || text.contains("token") || text.contains("secret") {
        return Some("may carry the caller's own credential and is not passed on");
    }
    header(name)
}

/// Why a variable cannot be declared; `None` when it can. Names count in any case, as they do on
/// Windows and for some programs elsewhere.
pub(crate) fn variable(name: &str) -> Option<&'static str> {
    let mut bytes = name.bytes();
    let plain = bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !plain {
        return Some(
            "is no name of a variable: letters, digits and `_`, not beginning with a digit",
        );
    }
    let upper = name.to_ascii_uppercase();
    let known = VARIABLES.contains(&upper.as_str())
        || VARIABLE_PREFIXES.iter().any(|prefix| upper.starts_with(prefix));
    let known = known && !HARMLESS.contains(&upper.as_str());
    known.then_some("changes what code programs run and is not for declarations")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_load_code_are_refused() {
        for name in [
            "LD_PRELOAD",
            "LD_LIBRARY_PATH",
            "DYLD_INSERT_LIBRARIES",
            "NODE_OPTIONS",
            "PYTHONPATH",
            "PATH",
            "Path",
            "node_options",
            "BASH_ENV",
            "PERL5OPT",
            "RUBYOPT",
            "GIT_SSH_COMMAND",
            "JAVA_TOOL_OPTIONS",
            "_JAVA_OPTIONS",
            "BASH_FUNC_ls",
            "SSLKEYLOGFILE",
            "",
            "1A",
            "A-B",
            "A=B",
            "A\0B",
            "É",
        ] {
            assert!(variable(name).is_some(), "{name}");
        }
        for name in [
            "GITHUB_TOKEN",
            "PGPASSWORD",
            "AWS_SECRET_ACCESS_KEY",
            "GITHUB_TOKEN",
            "PYTHONUNBUFFERED",
            "HTTPS_PROXY",
            "_X",
            "x1",
        ] {
            assert_eq!(variable(name), None, "{name}");
        }
    }

    #[test]
    fn headers_that_frame_messages_are_refused() {
        for name in [
            "host",
            "content-length",
            "transfer-encoding",
            "connection",
            "te",
            "upgrade",
            "proxy-authorization",
            "accept-encoding",
            "sec-fetch-site",
        ] {
            assert!(header(&HeaderName::from_static(name)).is_some(), "{name}");
        }
        for name in ["authorization", "cookie", "x-api-key", "private-token"] {
            let name = HeaderName::from_static(name);
            assert_eq!(header(&name), None, "{name}");
            assert!(forwarded_header(&name).is_some(), "{name}");
        }
        assert_eq!(forwarded_header(&HeaderName::from_static("accept")), None);
    }
}
