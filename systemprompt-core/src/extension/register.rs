//! The macros, and how they find out what a type can do.

use std::marker::PhantomData;
use std::sync::Arc;

use super::entry::{Capabilities, Cast, TypedEntry};
use super::settings::ReadSettings;
use super::{
    ApiExtensionTyped, ApiExtensionTypedDyn, CheckExtensionTyped, ConfigExtensionTyped, Extension,
    ExtensionEntry, JobExtensionTyped, ProviderExtensionTyped, SchemaExtensionTyped,
    SecretRuleExtensionTyped, Site,
};

/// What [`register_extension!`](crate::register_extension) leaves behind in the binary.
pub struct Registration(fn() -> ExtensionEntry);

impl Registration {
    /// A registration whose extension is made when a registry asks for it.
    pub const fn new(entry: fn() -> ExtensionEntry) -> Self {
        Self(entry)
    }

    pub(super) fn entry(&self) -> ExtensionEntry {
        (self.0)()
    }
}

inventory::collect!(Registration);

/// Makes the entry that a macro describes.
pub fn entry<T: Extension>(
    extension: T,
    crate_name: Option<&'static str>,
    file: &'static str,
    line: u32,
    capabilities: Capabilities<T>,
) -> ExtensionEntry {
    let site = Site::new(crate_name.unwrap_or("an unnamed crate"), file, line);
    TypedEntry { site, extension: Arc::new(extension), capabilities }.into()
}

/// Asks what `T` can do: a method of its own, which exists only for types with the capability, hides
/// the method of the same name of [`Absent`], which exists for all. It holds no `T`, only its type, so
/// that a macro can leave the type to inference.
pub struct Probe<T>(PhantomData<T>);

impl<T> Probe<T> {
    /// A probe for the type of `extension`.
    pub fn of(_extension: &T) -> Self {
        Self(PhantomData)
    }
}

/// Answers for the capabilities that a type does not have.
pub trait Absent<T> {
    /// Not there.
    fn schema(&self) -> Cast<T, dyn SchemaExtensionTyped> {
        None
    }

    /// Not there.
    fn api(&self) -> Cast<T, dyn ApiExtensionTypedDyn> {
        None
    }

    /// Not there.
    fn jobs(&self) -> Cast<T, dyn JobExtensionTyped> {
        None
    }

    /// Not there.
    fn providers(&self) -> Cast<T, dyn ProviderExtensionTyped> {
        None
    }

    /// Not there.
    fn settings(&self) -> Cast<T, dyn ReadSettings> {
        None
    }

    /// Not there.
    fn checks(&self) -> Cast<T, dyn CheckExtensionTyped> {
        None
    }

    /// Not there.
    fn secret_rules(&self) -> Cast<T, dyn SecretRuleExtensionTyped> {
        None
    }
}

impl<T> Absent<T> for Probe<T> {}

impl<T: SchemaExtensionTyped> Probe<T> {
    /// The cast to the capability.
    pub fn schema(&self) -> Cast<T, dyn SchemaExtensionTyped> {
        Some(|it| it)
    }
}

impl<T: ApiExtensionTyped> Probe<T> {
    /// The cast to the capability.
    pub fn api(&self) -> Cast<T, dyn ApiExtensionTypedDyn> {
        Some(|it| it)
    }
}

impl<T: JobExtensionTyped> Probe<T> {
    /// The cast to the capability.
    pub fn jobs(&self) -> Cast<T, dyn JobExtensionTyped> {
        Some(|it| it)
    }
}

impl<T: ProviderExtensionTyped> Probe<T> {
    /// The cast to the capability.
    pub fn providers(&self) -> Cast<T, dyn ProviderExtensionTyped> {
        Some(|it| it)
    }
}

impl<T: ConfigExtensionTyped> Probe<T> {
    /// The cast to the capability.
    pub fn settings(&self) -> Cast<T, dyn ReadSettings> {
        Some(|it| it)
    }
}

impl<T: CheckExtensionTyped> Probe<T> {
    /// The cast to the capability.
    pub fn checks(&self) -> Cast<T, dyn CheckExtensionTyped> {
        Some(|it| it)
    }
}

impl<T: SecretRuleExtensionTyped> Probe<T> {
    /// The cast to the capability.
    pub fn secret_rules(&self) -> Cast<T, dyn SecretRuleExtensionTyped> {
        Some(|it| it)
    }
}

/// Makes a type an extension of every binary it is linked into.
///
/// ```
/// # use systemprompt_core::extension::prelude::*;
/// struct Greeter;
///
/// impl Extension for Greeter {
///     fn metadata(&self) -> ExtensionMetadata {
///         ExtensionMetadata::new("greeter", "1.0.0")
///     }
/// }
///
/// register_extension!(Greeter);
/// # fn main() {}
/// ```
///
/// The macro finds out by itself which of [`SchemaExtensionTyped`](crate::extension::SchemaExtensionTyped),
/// [`ApiExtensionTyped`](crate::extension::ApiExtensionTyped) and so on the type implements. A type that is
/// not a unit struct takes an expression that makes it: `register_extension!(Greeter, Greeter::new())`.
///
/// A library whose extension is registered but which nothing in the binary names is not linked at
/// all; `use my_extension as _;` names it, and
/// [`TypedExtensionRegistry::require`](crate::extension::TypedExtensionRegistry::require) tells.
#[macro_export]
macro_rules! register_extension {
    ($($segment:ident)::+ $(,)?) => {
        $crate::extension::__private::inventory::submit! {
            $crate::extension::__private::Registration::new(
                || $crate::extension_entry!($($segment)::+)
            )
        }
    };
    ($extension:ty, $make:expr $(,)?) => {
        $crate::extension::__private::inventory::submit! {
            $crate::extension::__private::Registration::new(
                || $crate::extension_entry!($extension, $make)
            )
        }
    };
    ($($other:tt)*) => {
        ::core::compile_error!(
            "`register_extension!` takes a unit struct, `register_extension!(MyExtension)`, or a \
             type and how to make it, `register_extension!(MyExtension, MyExtension::new())`"
        );
    };
}

/// Makes the entry of an extension for an
/// [`ExtensionBuilder`](crate::extension::ExtensionBuilder), with everything it can do. Takes the
/// same as [`register_extension!`](crate::register_extension).
#[macro_export]
macro_rules! extension_entry {
    ($($segment:ident)::+ $(,)?) => {
        $crate::extension_entry!(@of _, $($segment)::+)
    };
    (@of $extension:ty, $make:expr) => {{
        #[allow(unused_imports, reason = "a type may have all capabilities")]
        use $crate::extension::__private::Absent as _;
        let extension: $extension = $make;
        let probe = $crate::extension::__private::Probe::of(&extension);
        $crate::extension::__private::entry(
            extension,
            ::core::option_env!("CARGO_PKG_NAME"),
            ::core::file!(),
            ::core::line!(),
            $crate::extension::__private::Capabilities {
                schema: probe.schema(),
                api: probe.api(),
                jobs: probe.jobs(),
                providers: probe.providers(),
                settings: probe.settings(),
                checks: probe.checks(),
                secret_rules: probe.secret_rules(),
            },
        )
    }};
    ($extension:ty, $make:expr $(,)?) => {
        $crate::extension_entry!(@of $extension, $make)
    };
    ($($other:tt)*) => {
        ::core::compile_error!(
            "`extension_entry!` takes a unit struct, `extension_entry!(MyExtension)`, or a type and \
             how to make it, `extension_entry!(MyExtension, MyExtension::new())`"
        )
    };
}
