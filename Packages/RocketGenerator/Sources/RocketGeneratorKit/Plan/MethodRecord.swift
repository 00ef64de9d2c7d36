import RocketGeneratorPlugin

/// Methods of a service at the time of generation, as comments in its implementation. The next run
/// reads them and reports what has changed.
struct MethodRecord: Equatable {
    /// One method.
    struct Entry: Equatable {
        /// Name on the wire: `shop.Order.makeOrder`.
        var fullName: String
        /// `(shop.Want) returns (shop.Bill)`
        var signature: String
        /// `MakeOrder`
        var interface: String
        /// `test_make_order_client`
        var testClient: String
    }

    var entries: [Entry]

    init(_ methods: [ProjectMethod]) {
        entries = methods.map {
            Entry(
                fullName: $0.fullName, signature: $0.signature, interface: $0.interface,
                testClient: $0.testClient)
        }
    }

    /// The record as comment lines.
    var lines: Lines {
        ["// Methods at the time of generation:"]
            + entries.flatMap {
                [
                    "//   rpc \($0.fullName)\($0.signature)",
                    "//     interface \($0.interface), test client \($0.testClient)",
                ]
            }
    }

    /// Reads the record from a file; empty if there is none.
    init(reading text: String) {
        let method = /\/\/   rpc ([\w.]+)(\([\w.]+\) returns \([\w.]+\))/
        let names = /\/\/     interface (\w+), test client (\w+)/
        let lines = text.split(separator: "\n")
        entries = zip(lines, lines.dropFirst()).compactMap { first, second in
            guard let first = first.wholeMatch(of: method),
                let second = second.wholeMatch(of: names)
            else { return nil }
            return Entry(
                fullName: String(first.1), signature: String(first.2), interface: String(second.1),
                testClient: String(second.2))
        }
    }
}
