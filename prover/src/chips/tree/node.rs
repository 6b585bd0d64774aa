//! One inner node of the state tree, before and after the batch. A row hashes its two children twice and hands the
//! result to its parent; a child that no row below speaks for must not change.
use crate::chips::poseidon::compress_committed;
use crate::circuit::chip::AssignError;
use crate::circuit::{Chip, Com, RowBuilder, Tag};
use crate::input::ProverInput;
use ff::Field;
use halo2curves::bn256::Fr;
use lathe_vm::state::NodeRow;

/// The bus elements of a node before and after the batch.
pub fn node_elements(level: &Com, index: &Com, old: &Com, new: &Com) -> [(u8, Com); 4] {
    [(0, level.clone()), (1, index.clone()), (2, old.clone()), (3, new.clone())]
}

/// Rows of [`lathe_vm::state::TreeWitness::nodes`]; any number, in any circuit.
///
/// Neither level nor index is range-checked. Let `N(l, i)` be the messages of level `l` and index `i`; every one
/// sent must be received, and each has multiplicity 1.
/// - Upwards: a row at level `l` is received by a row at `l + 1` or by the statement, which receives one
///   `N(32, 0)`. There are finitely many rows and far fewer than p, so that following the receivers ends, and it can
///   end only at the statement: a row `d` steps below has level `32 - d` and the index that its `d` left and
///   right turns spell, an integer below `2^d`.
/// - Downwards: a used row receives from at least one child, so that following the senders ends at a leaf
///   row, which has level 0. Hence `d <= 31` for node rows and `d = 32` for leaves.
/// - Uniqueness: one row sends the `N(32, 0)` that the statement receives. A row receives each child once, and a
///   child's position tells its parent's; by induction from the root every position has at most one row.
pub struct NodeChip;

impl Chip for NodeChip {
    type Row = NodeRow;

    fn name(&self) -> &'static str {
        "tree node"
    }

    fn rows(&self, input: &ProverInput<'_>) -> Result<Vec<NodeRow>, AssignError> {
        Ok(input.trace.tree.nodes.clone())
    }

    fn row(&self, b: &mut RowBuilder<'_>, row: Option<&NodeRow>) {
        let hash = |f: fn(&NodeRow) -> Fr| row.map_or(Fr::ZERO, f);
        let left_touched = b.boolean("left_touched is a bit", row.is_some_and(|r| r.left_touched));
        let right_touched = b.boolean("right_touched is a bit", row.is_some_and(|r| r.right_touched));
        // on = left_touched or right_touched: a row without a touched child says nothing.
        let both = b.product_committed("both = left_touched * right_touched", &left_touched, &right_touched);
        let on = &left_touched + &right_touched - both;

        let level = b.commit(Fr::from(row.map_or(0, |r| u64::from(r.level))));
        let index = b.commit(Fr::from(row.map_or(0, |r| u64::from(r.index))));
        let left_old = b.commit(hash(|r| r.left_old));
        let right_old = b.commit(hash(|r| r.right_old));
        let left_new = b.commit(hash(|r| r.left_new));
        let right_new = b.commit(hash(|r| r.right_new));

        let below = &level - Com::int(1);
        let left = &index * 2;
        b.receive(Tag::Node, &left_touched, &node_elements(&below, &left, &left_old, &left_new));
        let right = left + Com::int(1);
        b.receive(Tag::Node, &right_touched, &node_elements(&below, &right, &right_old, &right_new));
        let untouched = Com::int(1) - left_touched;
        b.enforce("(1 - left_touched) * (left_new - left_old) = 0", untouched, &left_new - &left_old, 0u64);
        let untouched = Com::int(1) - right_touched;
        b.enforce(
            "(1 - right_touched) * (right_new - right_old) = 0",
            untouched,
            &right_new - &right_old,
            0u64,
        );

        let old = compress_committed(b, &left_old, &right_old);
        let new = compress_committed(b, &left_new, &right_new);
        b.send(Tag::Node, &on, &node_elements(&level, &index, &old, &new));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::testing::{Fixture, Message, element};
    use crate::circuit::Var;
    use lathe_vm::Word;
    use lathe_vm::state::{Touched, Tree, TreeWitness, node_hash};

    /// A tree with six leaves of which two in one subtree and one elsewhere are touched.
    fn witness() -> TreeWitness {
        let word = |x: u64| Word::from(u128::from(x));
        let tree = Tree::from_entries((1..9).map(|i| (Fr::from(10 * i), word(i)))).unwrap();
        let touched = [(30, 1), (40, 2), (80, 9), (85, 4)];
        let touched = touched.map(|(k, v)| Touched { key: Fr::from(k), new_value: word(v) });
        tree.preview(&touched).unwrap()
    }

    type Content = [Fr; 5];

    /// Level, index, old, new, multiplicity of each `Node` message.
    fn contents(messages: &[Message]) -> Vec<Content> {
        let content =
            |(_, key, m): &Message| [element(key, 0), element(key, 1), element(key, 2), element(key, 3), *m];
        messages.iter().map(content).collect()
    }

    /// What a row says is true: the parent follows from its children, of which an absent one has not changed.
    fn truth(r: &NodeRow, messages: &[Message]) -> bool {
        let mut children = [(r.left_old, r.left_new), (r.right_old, r.right_new)];
        let mut parent = None;
        for [level, index, old, new, m] in contents(messages) {
            if m == Fr::ONE && parent.is_none() {
                parent = Some([level, index, old, new]);
            } else if m != -Fr::ONE {
                return false;
            }
        }
        let Some([level, index, old, new]) = parent else { return messages.is_empty() };
        let received: Vec<Content> = contents(messages).into_iter().filter(|c| c[4] == -Fr::ONE).collect();
        for [below, at, old, new, _] in &received {
            let side = *at - index.double();
            if *below != level - Fr::ONE || side * (side - Fr::ONE) != Fr::ZERO {
                return false;
            }
            children[usize::from(side == Fr::ONE)] = (*old, *new);
        }
        let heard = |side: Fr| received.iter().any(|c| c[1] - index.double() == side);
        let same = |(old, new): (Fr, Fr)| old == new;
        (!r.left_touched || heard(Fr::ZERO) || same(children[0]))
            && (!r.right_touched || heard(Fr::ONE) || same(children[1]))
            && old == node_hash(children[0].0, children[1].0)
            && new == node_hash(children[0].1, children[1].1)
    }

    #[test]
    fn all_rows_of_a_witness_hold_and_only_leaves_and_root_stay_on_the_bus() {
        let w = witness();
        let f = Fixture::new(NodeChip, &w.nodes, 2);
        f.assert_satisfied();
        let mut net = std::collections::BTreeMap::new();
        for row in 0..f.block.capacity {
            for (_, key, m) in f.messages(row) {
                *net.entry(key).or_insert(Fr::ZERO) += m;
            }
        }
        net.retain(|_, m| *m != Fr::ZERO);
        let rest: Vec<(Fr, Fr, Fr)> = net.iter().map(|(k, m)| (element(k, 0), element(k, 2), *m)).collect();
        let leaves = w.rows.iter().filter(|r| r.kind != lathe_vm::state::RowKind::Absent);
        let mut expected: Vec<(Fr, Fr, Fr)> = leaves.map(|r| (Fr::ZERO, r.old_hash(), -Fr::ONE)).collect();
        expected.push((Fr::from(32), w.old_tree_root, Fr::ONE));
        assert_eq!(rest.len(), expected.len());
        assert!(expected.iter().all(|e| rest.contains(e)));
    }

    #[test]
    fn changing_any_wire_is_rejected_or_still_true() {
        let nodes = witness().nodes;
        let both = nodes.iter().position(|n| n.left_touched && n.right_touched).unwrap();
        let left = nodes.iter().position(|n| !n.right_touched).unwrap();
        let right = nodes.iter().position(|n| !n.left_touched).unwrap();
        let [left_old, right_old, left_new, right_new] = [Fr::ZERO; 4];
        let zero = NodeRow {
            level: 0,
            index: 0,
            left_old,
            right_old,
            left_new,
            right_new,
            left_touched: false,
            right_touched: false,
        };
        for row in [both, left, right] {
            let mut f = Fixture::new(NodeChip, &nodes[row..=row], 1);
            // Values may change along with what is received; what is sent must follow from it.
            let (tried, rejected) = f.mutate(0, |m| truth(&nodes[row], m));
            assert!(rejected * 10 > tried * 9, "{rejected} of {tried}");
            // A padding row stays silent, breaks, or becomes a used row that tells the truth.
            f.mutate(1, |m| truth(&zero, m));
        }
    }

    #[test]
    fn a_sibling_that_nobody_speaks_for_cannot_change() {
        let nodes = witness().nodes;
        let row = nodes.iter().position(|n| n.left_touched && !n.right_touched).unwrap();
        let mut stale = nodes[row];
        stale.right_new += Fr::ONE;
        let f = Fixture::new(NodeChip, &[stale], 0);
        let failures = f.failures(0);
        assert!(failures.iter().any(|n| n.contains("1 - right_touched")), "{failures:?}");
    }

    #[test]
    fn a_child_cannot_be_swallowed() {
        // A row that receives a child always sends a parent: no wire switches one without the other.
        let nodes = witness().nodes;
        let mut f = Fixture::new(NodeChip, &nodes[..1], 0);
        let both = Var::Committed(2);
        let on = Fr::from(u64::from(nodes[0].left_touched)) + Fr::from(u64::from(nodes[0].right_touched));
        f.change(0, &[(both, on)]);
        assert!(!f.failures(0).is_empty());
    }

    #[test]
    fn a_doubled_position_leaves_a_message_nobody_receives() {
        let mut nodes = witness().nodes;
        nodes.push(nodes[3]);
        let f = Fixture::new(NodeChip, &nodes, 0);
        let again = f.messages(nodes.len() - 1).into_iter().find(|m| m.2 == Fr::ONE).unwrap().1;
        let net: Fr =
            (0..nodes.len()).flat_map(|r| f.messages(r)).filter(|m| m.1 == again).map(|m| m.2).sum();
        assert_eq!(net, Fr::ONE);
    }
}
