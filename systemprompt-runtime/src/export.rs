//! The sinks of the audit log, as the profile describes them.

use std::path::Path;
use std::time::Duration;

use systemprompt_audit::export::{
    Destination, Exporter, FileSettings, Format, HttpSettings, SinkSettings, StartAt,
    SyslogAddress, host_name,
};
use systemprompt_core::bootstrap::{Config, SecretRefError};
use systemprompt_core::config::{
    ExportFormat, ExportStart, HttpTarget, SecretRef, SinkConfig, SinkTarget, SyslogTarget,
};
use systemprompt_core::database::DbPool;
use systemprompt_core::secret::Secret;

use crate::StartError;

/// Starts the sinks of the profile. What they keep on disk is in `spool/<sink>` of the data folder.
pub(crate) fn start(config: &Config, database: &DbPool) -> Result<Exporter, StartError> {
    let section = &config.profile().export;
    let host = section.host.clone().unwrap_or_else(host_name);
    let folder = config.data_folder().join("spool");
    let settings = |(index, sink): (usize, &SinkConfig)| {
        let settings = sink_settings(sink, config, &folder.join(&sink.id), &host);
        settings.map_err(|error| {
            let path = format!("export.sinks[{index}].to.http");
            StartError::Config(config.loaded().diagnostic(path, &error.to_string()).into())
        })
    };
    let sinks = section.sinks.iter().enumerate().map(settings).collect::<Result<_, _>>()?;
    Ok(Exporter::start(database, sinks)?)
}

fn sink_settings(
    sink: &SinkConfig,
    config: &Config,
    folder: &Path,
    host: &str,
) -> Result<SinkSettings, SecretRefError> {
    let format = format(sink.format);
    let destination = destination(sink, format, config)?;
    let mut settings = SinkSettings::new(&sink.id, format, destination, folder);
    settings.start_at = match sink.start_at {
        ExportStart::Beginning => StartAt::Beginning,
        ExportStart::End => StartAt::End,
    };
    settings.host = host.to_owned();
    settings.splunk_index = sink.splunk_index.clone();
    settings.spool_bytes = sink.spool_max_bytes;
    settings.batch_events = sink.batch_events;
    settings.ack_timeout = Duration::from_secs(sink.splunk_ack_timeout_s);
    settings.backoff_longest = Duration::from_millis(sink.backoff_max_ms);
    Ok(settings)
}

fn destination(
    sink: &SinkConfig,
    format: Format,
    config: &Config,
) -> Result<Destination, SecretRefError> {
    Ok(match &sink.to {
        SinkTarget::Stdout(_) => Destination::Stdout,
        SinkTarget::File(file) => Destination::File(FileSettings {
            path: file.path.clone(),
            rotate_bytes: file.rotate_bytes,
            keep: file.keep,
            sync: file.sync,
        }),
        SinkTarget::Http(target) => Destination::Http(HttpSettings {
            url: url(target, config)?,
            headers: headers(target, format, config)?,
            gzip: target.gzip,
            timeout: Duration::from_millis(sink.timeout_ms),
            splunk_ack: sink.splunk_ack,
        }),
        SinkTarget::Syslog(target) => Destination::Syslog(match target {
            SyslogTarget::Udp(address) => SyslogAddress::Udp(address.clone()),
            SyslogTarget::Tcp(address) => SyslogAddress::Tcp(address.clone()),
            SyslogTarget::Tls(tls) => {
                SyslogAddress::Tls { address: tls.address.clone(), ca: tls.ca.clone() }
            }
            SyslogTarget::Unix(path) => SyslogAddress::Unix(path.clone()),
        }),
    })
}

fn url(target: &HttpTarget, config: &Config) -> Result<Secret<String>, SecretRefError> {
    match (&target.url, &target.secret_url) {
        (_, Some(secret)) => resolve(secret, config),
        (url, None) => {
            let url = url.as_ref().map(|url| url.as_str().to_owned());
            Ok(Secret::new(url.unwrap_or_default()))
        }
    }
}

fn headers(
    target: &HttpTarget,
    format: Format,
    config: &Config,
) -> Result<Vec<(String, Secret<String>)>, SecretRefError> {
    let plain = target.headers.iter();
    let mut headers: Vec<_> =
        plain.map(|(name, value)| (name.clone(), Secret::new(value.clone()))).collect();
    if let Some(token) = &target.token {
        let token = resolve(token, config)?;
        headers.push(match format {
            Format::Datadog => ("DD-API-KEY".to_owned(), token),
            Format::SplunkHec => ("Authorization".to_owned(), prefixed("Splunk", &token)),
            _ => ("Authorization".to_owned(), prefixed("Bearer", &token)),
        });
    }
    Ok(headers)
}

fn prefixed(scheme: &str, token: &Secret<String>) -> Secret<String> {
    Secret::new(format!("{scheme} {}", token.expose()))
}

fn resolve(secret: &SecretRef, config: &Config) -> Result<Secret<String>, SecretRefError> {
    Ok(secret.resolve(config.environment())?.value)
}

fn format(format: ExportFormat) -> Format {
    match format {
        ExportFormat::JsonLines => Format::JsonLines,
        ExportFormat::Ocsf => Format::Ocsf,
        ExportFormat::Ecs => Format::Ecs,
        ExportFormat::Cef => Format::Cef,
        ExportFormat::SplunkHec => Format::SplunkHec,
        ExportFormat::Datadog => Format::Datadog,
        ExportFormat::Sumo => Format::Sumo,
        ExportFormat::OtlpLogs => Format::OtlpLogs,
    }
}
