"""The README shows the rules as they are."""

from jobs import rulegraph


def test_the_readme_draws_the_workflow_as_it_is():
    drawn = rulegraph.BLOCK.search(rulegraph.README.read_text()).group()
    assert drawn == rulegraph.graph(rulegraph.reduced(rulegraph.edges()))


def test_an_edge_that_a_longer_way_implies_is_left_out():
    pairs = {("a", "b"), ("b", "c"), ("c", "d"), ("a", "c"), ("a", "d")}
    assert rulegraph.reduced(pairs) == [("a", "b"), ("b", "c"), ("c", "d")]
