from thaw.reports.words import compare_with_yardstick


def test_a_run_that_is_worse_than_a_linear_head_says_so():
    yardstick = {"val_loss": 0.265, "val_accuracy": 0.887}
    assert compare_with_yardstick(
        {"val_loss": 0.399, "yardstick": yardstick}
    ) == (
        " A linear head alone does better: validation loss 0.265, this run "
        "0.399 (--head=linear --epochs=0)."
    )
    assert (
        compare_with_yardstick({"val_loss": 0.26, "yardstick": yardstick}) == ""
    )
    assert compare_with_yardstick({"val_loss": 0.26, "yardstick": {}}) == ""
    assert compare_with_yardstick({"val_loss": 0.26}) == ""  # an older run
