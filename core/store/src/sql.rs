//! Small conversions between SQLite's values and ours.

use crate::error::StoreError;

/// A number as SQLite has it. Numbers here are counts and sequence numbers below 2^63.
pub(crate) fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A number as we have it. A negative one is damage and reads as 0, which no sequence or arrival number is.
pub(crate) fn uint(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// Reading typed values out of a row.
pub(crate) trait Row {
    /// A blob of exactly the length of an id.
    fn id<T>(&self, column: usize) -> Result<T, StoreError>
    where
        T: for<'b> TryFrom<&'b [u8]>;
    /// An id or null.
    fn id_or_null<T>(&self, column: usize) -> Result<Option<T>, StoreError>
    where
        T: for<'b> TryFrom<&'b [u8]>;
}

impl Row for rusqlite::Row<'_> {
    fn id<T>(&self, column: usize) -> Result<T, StoreError>
    where
        T: for<'b> TryFrom<&'b [u8]>,
    {
        let value = self.get_ref(column)?;
        let bytes = value.as_blob().map_err(|_| StoreError::Shape("an id"))?;
        T::try_from(bytes).map_err(|_| StoreError::Shape("an id"))
    }

    fn id_or_null<T>(&self, column: usize) -> Result<Option<T>, StoreError>
    where
        T: for<'b> TryFrom<&'b [u8]>,
    {
        let value = self.get_ref(column)?;
        let bytes = value.as_blob_or_null().map_err(|_| StoreError::Shape("an id"))?;
        bytes.map(|bytes| T::try_from(bytes).map_err(|_| StoreError::Shape("an id"))).transpose()
    }
}
