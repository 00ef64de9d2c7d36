import RocketSystem
import Testing

@testable import RocketAdmin

struct RenderingTests {
    @Test("text is escaped in elements and attributes, literals and markup are not")
    func escapes() {
        let inner: HTML = "<b>\("a < b")</b>"
        let html: HTML = "<p title=\"\("\"'&")\">\(inner)\([inner, inner])\(5)</p>"
        #expect(
            html.text
                == "<p title=\"&quot;&#39;&amp;\"><b>a &lt; b</b><b>a &lt; b</b><b>a &lt; b</b>5</p>"
        )
        #expect(HTML.escaped("a\u{202E}b\u{0}") == "a\\u{202E}b\\u{0}")
        #expect(HTML.escaped("é – 😀") == "é – 😀")
    }

    @Test("JSON escapes what its readers and terminals could take for something else")
    func json() {
        let value: JSON = .object([
            "a\"b": .string("x\\y\n\u{202E}é"), "n": .number(.infinity), "i": .integer(-3),
            "l": .array([.bool(true), .null]), "d": .number(0.25),
        ])
        #expect(
            value.text
                == #"{"a\"b":"x\\y\u000a\u202eé","n":null,"i":-3,"l":["# + "\ntrue,\nnull"
                + #"],"d":0.25}"#)
        #expect(JSON.array([]).text == "[]")
    }

    @Test("quantities have three digits and their unit")
    func quantities() {
        #expect(Quantity.count(0) == "0")
        #expect(Quantity.count(1_234_567) == "1,234,567")
        #expect(Quantity.count(-1234) == "−1,234")
        #expect(Quantity.number(0) == "0")
        #expect(Quantity.number(0.254) == "0.25")
        #expect(Quantity.number(9.999) == "10.0")
        #expect(Quantity.number(12.34) == "12.3")
        #expect(Quantity.number(99.96) == "100")
        #expect(Quantity.number(12_345.6) == "12,346")
        #expect(Quantity.number(.nan) == "–")
        #expect(Quantity.percent(0) == "0 %")
        #expect(Quantity.percent(0.00001) == "< 0.01 %")
        #expect(Quantity.percent(0.425) == "43 %")
        #expect(Quantity.percent(0.013) == "1.3 %")
        #expect(Quantity.duration(.zero) == "0")
        #expect(Quantity.duration(.nanoseconds(310)) == "< 0.001 ms")
        #expect(Quantity.duration(.nanoseconds(12_300)) == "0.012 ms")
        #expect(Quantity.duration(.microseconds(310)) == "0.310 ms")
        #expect(Quantity.duration(.nanoseconds(999_600)) == "1.00 ms")
        #expect(Quantity.duration(.microseconds(1240)) == "1.24 ms")
        #expect(Quantity.duration(.milliseconds(124)) == "124 ms")
        #expect(Quantity.duration(.microseconds(999_600)) == "1.00 s")
        #expect(Quantity.duration(.milliseconds(3200)) == "3.20 s")
        #expect(Quantity.duration(.seconds(125)) == "2 min 5 s")
        #expect(Quantity.duration(.seconds(3725)) == "1 h 2 min")
        #expect(Quantity.duration(.seconds(200_000)) == "2 d 7 h")
        #expect(Quantity.bytes(812) == "812 B")
        #expect(Quantity.bytes(1536) == "1.50 KiB")
        #expect(Quantity.bytes(96 << 20) == "96.0 MiB")
        #expect(Quantity.timestamp(Samples.time) == "2026-01-02T03:04:05.678Z")
    }

    private let table = Table(
        id: "t", columns: [.text("name", "Name"), .number("size", "Size")],
        rows: [[.text("b"), .count(1)], [.text("a"), .missing], [.text("c"), .count(10)]],
        empty: "Nothing.")

    @Test(
        "a table is sorted by a column, unknown values first, and an unknown column changes nothing"
    )
    func sorts() {
        let names = { (table: Table) in
            table.rows.map { row in if case .text(let text) = row[0] { text } else { "" } }
        }
        #expect(names(table.sorted(by: .init("name"))) == ["a", "b", "c"])
        #expect(names(table.sorted(by: .init("-size"))) == ["c", "b", "a"])
        #expect(names(table.sorted(by: .init("size"))) == ["a", "b", "c"])
        #expect(names(table.sorted(by: .init("other"))) == ["b", "a", "c"])
        #expect(names(table.sorted(by: nil)) == ["b", "a", "c"])
    }

    @Test("the links of the head keep the query and turn the order round")
    func headLinks() throws {
        let target = try #require(RequestTarget("/t?filter=a%26b&sort=-size"))
        let html = table.html(label: "T", sortedBy: .init("-size"), at: target).text
        #expect(html.contains("href=\"/t?filter=a%26b&amp;sort=size\">Size</a>"))
        #expect(html.contains("href=\"/t?filter=a%26b&amp;sort=name\">Name</a>"))
        #expect(html.contains("aria-sort=\"descending\""))
    }

    @Test("a filter finds text in upper and lower case; what has no row says so")
    func filters() {
        #expect(table.filtered(by: "B").rows.count == 1)
        let none = table.filtered(by: "<x>")
        #expect(
            none.html(label: "T").text
                == "<p class=\"empty\">No row has <q>&lt;x&gt;</q> in it.</p>")
    }

    @Test("a sparkline has its newest value at the right and a gap where a value is missing")
    func sparkline() {
        let html = Chart.sparkline([1, 2, nil, 4, 0], capacity: 11, label: "x").text
        #expect(html.contains("points=\"6,30 7,21\""))
        #expect(html.contains("points=\"9,3 10,39\""))
        #expect(Chart.sparkline([], capacity: 60, label: "x").text.contains("</svg>"))
        #expect(Chart.sparkline([0, 0], capacity: 60, label: "x").text.contains("polyline"))
    }
}
