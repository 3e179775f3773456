//! The aggregate `tally` against counting by hand, over any rows, splits and orders.

use arrow::array::{Array, AsArray, Int32Array, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Int32Type, Int64Type, Schema};
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// entity, student, denominators, numerators, groups
type Row = (i32, i32, i64, i64, i64);
/// numerator and denominator by entity, measure and group
type Figures = BTreeMap<(i32, i32, i32), (i64, i64)>;

fn has(mask: i64, bit: i32) -> bool {
    mask >> bit & 1 == 1
}

fn by_hand(rows: &[Row]) -> Figures {
    let mut students: BTreeMap<(i32, i32), (i64, i64, i64)> = BTreeMap::new();
    for (entity, student, d, n, g) in rows {
        let joined = students.entry((*entity, *student)).or_default();
        *joined = (joined.0 | d, joined.1 | n, joined.2 | g);
    }
    let mut figures = Figures::new();
    for ((entity, _), (d, n, g)) in students {
        for measure in (0..63).filter(|m| has(d, *m)) {
            for group in (0..63).filter(|b| has(g, *b)) {
                let figure = figures.entry((entity, measure, group)).or_default();
                *figure = (figure.0 + i64::from(has(n, measure)), figure.1 + 1);
            }
        }
    }
    figures
}

fn batch(rows: &[Row]) -> RecordBatch {
    let masks = |of: fn(&Row) -> i64| Arc::new(Int64Array::from_iter_values(rows.iter().map(of)));
    let keys = |of: fn(&Row) -> i32| Arc::new(Int32Array::from_iter_values(rows.iter().map(of)));
    RecordBatch::try_new(schema(), vec![keys(|r| r.0), keys(|r| r.1), masks(|r| r.2), masks(|r| r.3), masks(|r| r.4)]).unwrap()
}

fn schema() -> Arc<Schema> {
    let field = |name: &str, of| Field::new(name, of, false);
    let masks = ["d", "n", "g"].map(|n| field(n, DataType::Int64));
    Arc::new(Schema::new([vec![field("entity", DataType::Int32), field("student", DataType::Int32)], masks.to_vec()].concat()))
}

/// Counts through the engine, with the rows cut into pieces that are dealt to partitions.
fn by_engine(rows: &[Row], cuts: usize, partitions: usize, early: bool, select: &str) -> Figures {
    let mut parts: Vec<Vec<RecordBatch>> = vec![vec![]; partitions];
    for (i, piece) in rows.chunks(rows.len().div_ceil(cuts).max(1)).enumerate() {
        parts[i % partitions].push(batch(piece));
    }
    let mut config = SessionConfig::new().with_target_partitions(partitions).with_batch_size(3);
    // Sends rows on as they come once grouping does not pay: the third way through the aggregate.
    config.options_mut().execution.skip_partial_aggregation_probe_rows_threshold = if early { 1 } else { usize::MAX };
    config.options_mut().execution.skip_partial_aggregation_probe_ratio_threshold = 0.0;
    let context = SessionContext::new_with_config(config);
    perkins::tally::aggregates().into_iter().for_each(|a| context.register_udaf(a));
    context.register_table("t", Arc::new(MemTable::try_new(schema(), parts).unwrap())).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let answer = runtime.block_on(async { context.sql(select).await.unwrap().collect().await.unwrap() });
    let mut figures = Figures::new();
    for batch in &answer {
        for i in 0..batch.num_rows() {
            let entity = batch.column(0).as_primitive::<Int32Type>().value(i);
            let list = batch.column(1).as_list::<i32>().value(i);
            let list = list.as_struct();
            let ints = |c: usize| list.column(c).as_primitive::<Int32Type>().clone();
            let longs = |c: usize| list.column(c).as_primitive::<Int64Type>().clone();
            let places: Vec<(i32, i32)> = (0..list.len()).map(|j| (ints(0).value(j), ints(1).value(j))).collect();
            assert!(places.is_sorted(), "in the order of measure and group");
            for (j, (measure, group)) in places.into_iter().enumerate() {
                let twice = figures.insert((entity, measure, group), (longs(2).value(j), longs(3).value(j)));
                assert!(twice.is_none(), "{entity} {measure} {group} twice");
            }
        }
    }
    figures
}

const BY_ENTITY: &str = "SELECT entity, tally(student, d, n, g) FROM t GROUP BY entity";
const WITHOUT_GROUPS: &str = "SELECT CAST(0 AS INT), tally(student, d, n, g) FROM t";
const FILTERED: &str = "SELECT entity, tally(student, d, n, g) FILTER (WHERE g % 2 = 1) FROM t GROUP BY entity";
/// By way of rosters of programs; a student with one row may be counted there, any other is told apart in the entity.
const BY_ROSTER: &str = "SELECT entity, tally(students) FROM (
    SELECT entity, d % 3 AS program, roster(student, d, n, g, only) AS students
    FROM (SELECT *, count(*) OVER (PARTITION BY student) = 1 AS only FROM t) AS marked
    GROUP BY entity, d % 3) AS program GROUP BY entity";

fn mask() -> impl Strategy<Value = i64> {
    // Few bits, many bits, and the highest one that is used.
    prop_oneof![4 => 0..8i64, 2 => 0..=i64::MAX, 1 => Just(1i64 << 62), 1 => Just(0)]
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec((0..4i32, 0..12i32, mask(), mask(), mask()), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn counts_as_by_hand(rows in rows(), cuts in 1..7usize, partitions in 1..5usize, early: bool) {
        prop_assert_eq!(by_engine(&rows, cuts, partitions, early, BY_ENTITY), by_hand(&rows));
        prop_assert_eq!(by_engine(&rows, cuts, partitions, early, BY_ROSTER), by_hand(&rows));
        let one: Vec<Row> = rows.iter().map(|r| (0, r.1, r.2, r.3, r.4)).collect();
        prop_assert_eq!(by_engine(&one, cuts, partitions, early, WITHOUT_GROUPS), by_hand(&one));
        let odd: Vec<Row> = rows.iter().filter(|r| r.4 % 2 == 1).copied().collect();
        prop_assert_eq!(by_engine(&rows, cuts, partitions, early, FILTERED), by_hand(&odd));
    }

    #[test]
    fn any_order_counts_the_same(rows in rows(), keys in prop::collection::vec(any::<u32>(), 60)) {
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|i| keys[*i]);
        let shuffled: Vec<Row> = order.into_iter().map(|i| rows[i]).collect();
        prop_assert_eq!(by_engine(&shuffled, 4, 3, false, BY_ENTITY), by_engine(&rows, 1, 1, false, BY_ENTITY));
    }
}

/// A figure of several rows of one student, which the whole design stands on, spelled out.
#[test]
fn a_student_counts_once() {
    let rows = [(1, 7, 0b01, 0b01, 0b1), (1, 7, 0b11, 0b00, 0b1), (1, 8, 0b10, 0b10, 0b1), (2, 7, 0b01, 0b00, 0b1)];
    let expected = Figures::from([((1, 0, 0), (1, 1)), ((1, 1, 0), (1, 2)), ((2, 0, 0), (0, 1))]);
    assert_eq!(by_engine(&rows, 4, 2, false, BY_ENTITY), expected);
    assert_eq!(by_engine(&rows, 4, 2, false, BY_ROSTER), expected);
    assert_eq!(by_hand(&rows), expected);
    let entities: BTreeSet<i32> = expected.keys().map(|k| k.0).collect();
    assert_eq!(entities.len(), 2);
}
