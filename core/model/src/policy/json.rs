//! JSON that has one reading: no key twice, whole numbers only, and bounded in depth and number of values before
//! anything is made of it; and the one way in which it is written (RFC 8785).

use core::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::cosign::canonical as spelt;
use crate::limits::{PACK_DEPTH_MAX, PACK_NUMBER_MAX, PACK_VALUES_MAX};

/// Reads a value; `None` if the bytes are no JSON, or JSON of which two readers could make different things.
pub(super) fn read(bytes: &[u8]) -> Option<Value> {
    let mut left = PACK_VALUES_MAX;
    let mut source = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: 0, left: &mut left }.deserialize(&mut source).ok()?;
    source.end().ok()?;
    Some(value)
}

/// Reads one value; `left` is how many more may follow.
struct Strict<'a> {
    depth: usize,
    left: &'a mut usize,
}

impl Strict<'_> {
    /// The same for what stands inside a list or an object.
    fn inside<E: Error>(&mut self) -> Result<Strict<'_>, E> {
        if self.depth >= PACK_DEPTH_MAX {
            return Err(E::custom("too deep"));
        }
        Ok(Strict { depth: self.depth + 1, left: self.left })
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        *self.left = self.left.checked_sub(1).ok_or_else(|| D::Error::custom("too many values"))?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without fractions")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        if value > PACK_NUMBER_MAX { Err(E::custom("too large")) } else { Ok(Value::Number(Number::from(value))) }
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        if value.unsigned_abs() > PACK_NUMBER_MAX {
            Err(E::custom("too small"))
        } else {
            Ok(Value::Number(Number::from(value)))
        }
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(self.inside()?)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut object: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(key) = object.next_key::<String>()? {
            let value = object.next_value_seed(self.inside()?)?;
            if fields.insert(key, value).is_some() {
                return Err(A::Error::custom("a key that stands there twice"));
            }
        }
        Ok(Value::Object(fields))
    }
}

/// The canonical bytes: keys in the order of their UTF-16 code units, no spaces.
pub(super) fn canonical(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Array(values) => {
            out.push(b'[');
            for (at, value) in values.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write(value, out);
            }
            out.push(b']');
        }
        Value::Object(fields) => {
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
            out.push(b'{');
            for (at, (key, value)) in fields.into_iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                out.extend_from_slice(&spelt(key));
                out.push(b':');
                write(value, out);
            }
            out.push(b'}');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => out.extend_from_slice(&spelt(value)),
    }
}
