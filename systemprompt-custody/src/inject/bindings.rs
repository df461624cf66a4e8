use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use systemprompt_core::id::{ServerName, ToolName};

use super::placeholder::{self, Part};
use super::{
    Binding, BindingFault, BindingFaults, BindingProblem, BoundHost, BoundSink, Declaration,
    InjectionSettings, NamedSecret, pointer, sink_rule, template,
};

/// The settings, checked and ready for use. Cloning is a reference count.
#[derive(Debug, Clone, Default)]
pub struct Bindings(Arc<HashMap<ServerName, ServerSinks>>);

/// What one server gets.
#[derive(Debug, Default)]
pub(super) struct ServerSinks {
    pub(super) headers: Vec<HeaderSink>,
    pub(super) variables: Vec<VariableSink>,
    pub(super) arguments: Vec<ArgumentSink>,
}

#[derive(Debug)]
pub(super) struct HeaderSink {
    pub(super) host: BoundHost,
    pub(super) name: HeaderName,
    pub(super) parts: Vec<Part>,
}

#[derive(Debug)]
pub(super) struct VariableSink {
    pub(super) name: String,
    pub(super) parts: Vec<Part>,
}

#[derive(Debug)]
pub(super) struct ArgumentSink {
    pub(super) tool: ToolName,
    /// A JSON Pointer.
    pub(super) argument: String,
    pub(super) secret: NamedSecret,
}

impl Bindings {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`BindingFaults`] with everything that is wrong: places filled twice, templates and placeholders
    /// that cannot be read, headers that frame messages, variables that change what code runs.
    pub fn compile(settings: &InjectionSettings) -> Result<Self, BindingFaults> {
        let mut reading = Reading::default();
        for (number, binding) in settings.bindings.iter().enumerate() {
            reading.binding(&format!("bindings[{number}]"), binding);
        }
        for (number, declaration) in settings.servers.iter().enumerate() {
            reading.declaration(&format!("servers[{number}]"), declaration);
        }
        if reading.faults.is_empty() {
            Ok(Self(Arc::new(reading.servers)))
        } else {
            Err(BindingFaults(reading.faults))
        }
    }

    pub(super) fn of(&self, server: &ServerName) -> Option<&ServerSinks> {
        self.0.get(server)
    }
}

#[derive(Default)]
struct Reading {
    servers: HashMap<ServerName, ServerSinks>,
    /// Where each place was filled first.
    filled: HashMap<(ServerName, String), String>,
    faults: Vec<BindingFault>,
}

impl Reading {
    fn binding(&mut self, path: &str, binding: &Binding) {
        let Binding { server, secret, sink } = binding;
        match sink {
            BoundSink::Header { host, name, template } => {
                let at = format!("{path}.sink.header");
                let parts = template::compile(template, secret).map_err(BindingProblem::Template);
                let parts = self.note(&format!("{at}.template"), parts);
                let name = self.header_name(&format!("{at}.name"), name);
                self.header(server, &at, host, name.zip(parts));
            }
            BoundSink::Env { variable, template } => {
                let at = format!("{path}.sink.env");
                let parts = template::compile(template, secret).map_err(BindingProblem::Template);
                if let Some(parts) = self.note(&format!("{at}.template"), parts) {
                    self.variable(server, &at, variable, parts);
                }
            }
            BoundSink::Argument { tool, argument } => {
                let at = format!("{path}.sink.argument");
                let read = pointer::of_argument(argument)
                    .ok_or_else(|| BindingProblem::Argument(argument.clone()));
                let Some(argument) = self.note(&format!("{at}.argument"), read) else { return };
                let place =
                    format!("secret `{}` in argument `{argument}` of tool `{tool}`", secret.name());
                if self.fill(server, place, &at) {
                    let sinks = self.servers.entry(server.clone()).or_default();
                    let (tool, secret) = (tool.clone(), secret.clone());
                    sinks.arguments.push(ArgumentSink { tool, argument, secret });
                }
            }
        }
    }

    fn declaration(&mut self, path: &str, declaration: &Declaration) {
        let server = &declaration.server;
        for (number, header) in declaration.headers.iter().enumerate() {
            let at = format!("{path}.headers[{number}]");
            let parts = placeholder::split(&header.value).map_err(BindingProblem::Placeholder);
            let parts = self.note(&format!("{at}.value"), parts);
            let name = self.header_name(&format!("{at}.name"), &header.name);
            self.header(server, &at, &header.host, name.zip(parts));
        }
        for (name, value) in &declaration.variables {
            let at = format!("{path}.variables.{name}");
            let parts = placeholder::split(value).map_err(BindingProblem::Placeholder);
            if let Some(parts) = self.note(&at, parts) {
                self.variable(server, &at, name, parts);
            }
        }
        self.servers.entry(server.clone()).or_default();
    }

    fn header_name(&mut self, path: &str, name: &str) -> Option<HeaderName> {
        let problem = |why| BindingProblem::Name { name: name.to_owned(), why };
        let parsed = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| problem("is no name of a header"))
            .and_then(|name| sink_rule::header(&name).map_or(Ok(name), |why| Err(problem(why))));
        self.note(path, parsed)
    }

    fn header(
        &mut self,
        server: &ServerName,
        path: &str,
        host: &BoundHost,
        read: Option<(HeaderName, Vec<Part>)>,
    ) {
        let Some((name, parts)) = read else { return };
        let valid = fixed(&parts).all(|text| HeaderValue::from_str(text).is_ok());
        if !valid {
            return self.fault(path, BindingProblem::Value);
        }
        if self.fill(server, format!("header `{name}` of host `{host}`"), path) {
            let sinks = self.servers.entry(server.clone()).or_default();
            sinks.headers.push(HeaderSink { host: host.clone(), name, parts });
        }
    }

    fn variable(&mut self, server: &ServerName, path: &str, name: &str, parts: Vec<Part>) {
        if name == sink_rule::PATH {
            if !is_search_path(&parts) {
                return self.fault(path, BindingProblem::Path);
            }
        } else if let Some(why) = sink_rule::variable(name) {
            return self.fault(path, BindingProblem::Name { name: name.to_owned(), why });
        }
        if fixed(&parts).any(|text| text.contains('\0')) {
            return self.fault(path, BindingProblem::Value);
        }
        // Windows does not tell names apart by case, so nobody may.
        if self.fill(server, format!("variable `{}`", name.to_ascii_uppercase()), path) {
            let sinks = self.servers.entry(server.clone()).or_default();
            sinks.variables.push(VariableSink { name: name.to_owned(), parts });
        }
    }

    /// Takes a place; a fault when it is taken.
    fn fill(&mut self, server: &ServerName, sink: String, path: &str) -> bool {
        let place = (server.clone(), sink);
        let Some(first) = self.filled.get(&place) else {
            self.filled.insert(place, path.to_owned());
            return true;
        };
        let (first, (server, sink)) = (first.clone(), place);
        self.fault(path, BindingProblem::Duplicate { server: server.to_string(), sink, first });
        false
    }

    fn note<T>(&mut self, path: &str, read: Result<T, BindingProblem>) -> Option<T> {
        read.map_err(|problem| self.fault(path, problem)).ok()
    }

    fn fault(&mut self, path: &str, problem: BindingProblem) {
        self.faults.push(BindingFault { path: path.to_owned(), problem });
    }
}

fn fixed(parts: &[Part]) -> impl Iterator<Item = &str> {
    parts.iter().filter_map(|part| match part {
        Part::Text(text) => Some(text.as_str()),
        Part::Secret(_) => None,
    })
}

fn is_search_path(parts: &[Part]) -> bool {
    match parts {
        [Part::Text(text)] => {
            text.split(':').all(|folder| folder.starts_with('/') && Path::new(folder).is_absolute())
        }
        _ => false,
    }
}
