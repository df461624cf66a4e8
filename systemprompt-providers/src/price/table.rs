use std::collections::BTreeMap;
use std::sync::Arc;

use super::read::{self, PriceFile};
use super::{PriceFileError, PriceRow, undated};

/// Prices of models, by vendor or provider.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PriceTable {
    /// By vendor or provider, then by the model in lower case.
    rows: BTreeMap<Arc<str>, BTreeMap<String, Arc<PriceRow>>>,
    version: String,
}

/// The table that is built in.
const EMBEDDED: &str = include_str!("prices.json");

impl PriceTable {
    /// The table that is built in.
    #[must_use]
    pub fn embedded() -> Self {
        // A test reads every row of it.
        read::file(EMBEDDED).map(Self::of).unwrap_or_default()
    }

    fn of(file: PriceFile) -> Self {
        let mut table =
            Self { rows: BTreeMap::new(), version: file.as_of.unwrap_or_else(|| "undated".into()) };
        table.put(file.rows);
        table
    }

    /// The same with the rows of a file put over it: JSON in the form of the table that is built in, where
    /// a row replaces the one of the same `provider` and `model`, or is new. `provider` is a vendor, or a
    /// provider by its name in the configuration, whose own rows come first.
    ///
    /// # Errors
    /// [`PriceFileError`] with every row and field that cannot be used.
    pub fn with_overrides(&self, text: &str) -> Result<Self, PriceFileError> {
        let file = read::file(text)?;
        let mut table = self.clone();
        let over = file.as_of.unwrap_or_else(|| "undated".into());
        table.version = format!("{}+{over}", self.version);
        table.put(file.rows);
        Ok(table)
    }

    /// The same with the rows that the crate `genai-prices` has for some vendors put over it, of a moment in seconds
    /// since 1970. Models whose price no row can say stay as they are: see the
    /// [module](crate::price). It takes some tens of questions for each model, each of which looks through the
    /// vendor's models: 0.1 s for 25 of them and 3 s for 700 in a debug build.
    #[cfg(feature = "genai-prices")]
    #[must_use]
    pub fn with_genai_prices<'v>(
        &self,
        vendors: impl IntoIterator<Item = &'v str>,
        unix_s: u64,
    ) -> Self {
        let mut table = self.clone();
        table.version = format!("{}+genai-prices", self.version);
        for vendor in vendors {
            let mut rows = super::genai::rows(vendor, unix_s);
            for row in &mut rows {
                let known = self.row(vendor, &row.model);
                row.max_output = known.and_then(|known| known.max_output);
                row.context = row.context.or_else(|| known.and_then(|known| known.context));
            }
            table.put(rows);
        }
        table
    }

    fn put(&mut self, rows: Vec<PriceRow>) {
        for row in rows {
            let models = self.rows.entry(row.provider.clone()).or_default();
            models.insert(row.model.to_ascii_lowercase(), Arc::new(row));
        }
    }

    /// The row of a model of a vendor or provider, or of the model that it is a dated snapshot of. Upper
    /// and lower case are the same.
    #[must_use]
    pub fn row(&self, provider: &str, model: &str) -> Option<&Arc<PriceRow>> {
        let models = self.rows.get(provider)?;
        let folded = model.to_ascii_lowercase();
        models.get(&folded).or_else(|| models.get(undated(&folded)?))
    }

    /// The rows of a vendor or provider, by model.
    pub fn rows_of(&self, provider: &str) -> impl Iterator<Item = &Arc<PriceRow>> {
        self.rows.get(provider).into_iter().flat_map(BTreeMap::values)
    }

    /// The vendors and providers that have rows.
    pub fn providers(&self) -> impl Iterator<Item = &str> {
        self.rows.keys().map(|name| &**name)
    }

    /// Which prices these are, for records: the date of the table, `+` and that of what was put over it.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }
}
