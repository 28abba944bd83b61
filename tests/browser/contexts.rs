//! Who ran a line, and what a context ran.

use super::Report;

#[test]
fn who_ran_a_line_is_found_as_one_types() {
    let report = Report::new();
    let browser = &report.browser;
    browser.open(report.source("_cart_py.html"));
    assert_eq!(browser.get("document.querySelector('#t6 button.ctx').innerText"), "12 contexts");
    browser.click("#t6 button.ctx");
    browser.until_is("document.querySelectorAll('#t6 .who li').length", 12);
    assert_eq!(browser.get("document.querySelectorAll('#t6 .who li')[2].innerText"), "test_2");
    browser.keys("1");
    browser.until_is(
        "[...document.querySelectorAll('#t6 .who li')].map(item => item.innerText).join()",
        "test_1,test_10,test_11",
    );
    browser.click("#t14 button.ctx");
    browser.until_is(
        "document.querySelector('#t14 .who ul')?.innerText.trim()",
        "</script><b>test_total</b>",
    );
    browser.click("#t14 .who a");
    browser.until("document.querySelector('.chosen:not([hidden]) .lines a')");
    let lines = "[...document.querySelectorAll('.chosen .files li')].map(item => item.innerText.replace(/\\s+/g, ' ').trim()).join('; ')";
    browser.until_is(lines, "shop/all.py 1: 2; shop/cart.py 3: 13-15");
    browser.click(".choice button:nth-child(2)");
    browser.until_is(lines, "shop/all.py 1: 2; shop/cart.py 3: 13-15");
    // A line that several contexts ran is not listed among the lines that only one ran.
    browser.open_at(report.page("contexts.html"), "#c=test_3");
    browser.until_is(lines, "shop/cart.py 2: 6-7");
    browser.click(".choice button:nth-child(2)");
    browser.until_is(lines, "");
    browser.click("#filter");
    browser.keys("TOTAL");
    browser.until("!document.querySelector('.grid').checkVisibility()");
    browser.run("document.querySelector('#filter').value = ''");
    browser.keys("total");
    browser.until_is("document.querySelectorAll('.grid tbody tr:not(.gap)').length", 1);
    assert_eq!(report.rows(), ["</script><b>test_total</b> 2 4 4"]);
    browser.open(report.page("contexts.html"));
    assert_eq!(report.rows(), ["</script><b>test_total</b> 2 4 4"]);
    assert_eq!(browser.errors(), Vec::<String>::new());
}
