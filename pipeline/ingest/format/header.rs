//! What the headers of Parquet are made of, as parquet.thrift of the format's definition (apache/parquet-format, 2.11) says.

use super::thrift::Known::{self, Byte, Bytes, Double, List, Members, Number, Text, Truth};

/// The header of a page.
pub const PAGE: Known = Members(&[
    (1, Number),
    (2, Bytes),
    (3, Number),
    (4, Number),
    (5, Members(&[(1, Number), (2, Number), (3, Number), (4, Number), (5, STATISTICS)])),
    (6, EMPTY),
    (7, Members(&[(1, Number), (2, Number), (3, Truth)])),
    (8, Members(&[(1, Number), (2, Number), (3, Number), (4, Number), (5, Number), (6, Number), (7, Truth), (8, STATISTICS)])),
]);

/// The footer of a file.
pub const FILE: Known = Members(&[
    (1, Number),
    (2, List(&SCHEMA_ELEMENT)),
    (3, Number),
    (4, List(&ROW_GROUP)),
    (5, List(&KEY_VALUE)),
    (6, Text),
    (7, List(&Members(&[(1, EMPTY)]))),
    (8, ENCRYPTION),
    (9, Text),
]);

const EMPTY: Known = Members(&[]);
const KEY_VALUE: Known = Members(&[(1, Text), (2, Text)]);

const STATISTICS: Known = Members(&[(1, Text), (2, Text), (3, Number), (4, Number), (5, Text), (6, Text), (7, Truth), (8, Truth)]);

const SCHEMA_ELEMENT: Known = Members(&[
    (1, Number),
    (2, Number),
    (3, Number),
    (4, Text),
    (5, Number),
    (6, Number),
    (7, Number),
    (8, Number),
    (9, Number),
    (10, LOGICAL_TYPE),
]);

const LOGICAL_TYPE: Known = Members(&[
    (1, EMPTY),
    (2, EMPTY),
    (3, EMPTY),
    (4, EMPTY),
    (5, Members(&[(1, Number), (2, Number)])),
    (6, EMPTY),
    (7, Members(&[(1, Truth), (2, TIME_UNIT)])),
    (8, Members(&[(1, Truth), (2, TIME_UNIT)])),
    (10, Members(&[(1, Byte), (2, Truth)])),
    (11, EMPTY),
    (12, EMPTY),
    (13, EMPTY),
    (14, EMPTY),
    (15, EMPTY),
    (16, Members(&[(1, Byte)])),
    (17, Members(&[(1, Text)])),
    (18, Members(&[(1, Text), (2, Number)])),
]);

const TIME_UNIT: Known = Members(&[(1, EMPTY), (2, EMPTY), (3, EMPTY)]);

const ROW_GROUP: Known = Members(&[
    (1, List(&COLUMN_CHUNK)),
    (2, Number),
    (3, Number),
    (4, List(&Members(&[(1, Number), (2, Truth), (3, Truth)]))),
    (5, Number),
    (6, Number),
    (7, Number),
]);

const COLUMN_CHUNK: Known = Members(&[
    (1, Text),
    (2, Number),
    (3, COLUMN),
    (4, Number),
    (5, Number),
    (6, Number),
    (7, Number),
    (8, Members(&[(1, EMPTY), (2, Members(&[(1, List(&Text)), (2, Text)]))])),
    (9, Text),
]);

const COLUMN: Known = Members(&[
    (1, Number),
    (2, List(&Number)),
    (3, List(&Text)),
    (4, Number),
    (5, Number),
    (6, Number),
    (7, Number),
    (8, List(&KEY_VALUE)),
    (9, Number),
    (10, Number),
    (11, Number),
    (12, STATISTICS),
    (13, List(&Members(&[(1, Number), (2, Number), (3, Number)]))),
    (14, Number),
    (15, Number),
    (16, Members(&[(1, Number), (2, List(&Number)), (3, List(&Number))])),
    (17, Members(&[(1, BOX), (2, List(&Number))])),
]);

const BOX: Known = Members(&[(1, Double), (2, Double), (3, Double), (4, Double), (5, Double), (6, Double), (7, Double), (8, Double)]);

const ENCRYPTION: Known = Members(&[(1, Members(&[(1, Text), (2, Text), (3, Truth)])), (2, Members(&[(1, Text), (2, Text), (3, Truth)]))]);
