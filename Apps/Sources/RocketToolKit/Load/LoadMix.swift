import RocketProgram
import RocketSystem

/// The methods of a load, as its user has named them. A value.
struct LoadMix: Hashable, Sendable {
    /// The most methods.
    static let maxMethods = 100

    struct Entry: Hashable, Sendable {
        let method: String
        /// Its share of the calls, as a part of the sum of all weights: 1 to 1,000,000.
        var weight = 1
        /// The longest that a call may take; nil: as for the others.
        var timeout: DurationArgument?
        /// JSON with placeholders, or `@FILE`: a file of JSON lines, used in their order and again.
        var request = "{}"
    }

    var entries: [Entry]

    /// Parses the lines of a file: `WEIGHT METHOD [timeout=DURATION] [JSON or @FILE]`. Lines that
    /// are blank or begin with # are comments.
    ///
    /// - Throws: `ProgramFailure` (dataError) with the line that is wrong.
    init(parsing text: String, file: String) throws(ProgramFailure) {
        entries = []
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            let line = line.drop(while: \.isWhitespace)
            if line.isEmpty || line.hasPrefix("#") { continue }
            do { entries.append(try Self.entry(line)) } catch {
                throw ProgramFailure("\(file):\(number + 1): \(error)", status: .dataError)
            }
        }
        if entries.isEmpty || entries.count > Self.maxMethods {
            throw ProgramFailure(
                "\(file) has \(entries.count) methods; allowed: 1 to \(Self.maxMethods)",
                status: .dataError)
        }
    }

    /// One method.
    init(_ entry: Entry) { entries = [entry] }

    /// Reads the file, which has at most 1 MiB.
    init(file: String) throws(ProgramFailure) {
        try self.init(
            parsing: RequestInput.text(ofFile: file, limit: 1 << 20), file: file)
    }

    private static func entry(_ line: Substring) throws(ProgramFailure) -> Entry {
        var rest = line
        func word() -> Substring {
            let word = rest.prefix { !$0.isWhitespace }
            rest = rest[word.endIndex...].drop(while: \.isWhitespace)
            return word
        }
        let first = word()
        guard let weight = Int(first), (1...1_000_000).contains(weight) else {
            throw ProgramFailure(
                "a line begins with a weight, 1 to 1000000, not '\(first)'", status: .dataError)
        }
        let method = String(word())
        if method.isEmpty { throw ProgramFailure("the method is missing", status: .dataError) }
        var entry = Entry(method: method, weight: weight)
        while !rest.isEmpty, !"{@[".contains(rest.first ?? " ") {
            let option = word()
            guard option.hasPrefix("timeout="),
                let timeout = DurationArgument(argument: String(option.dropFirst(8)))
            else {
                throw ProgramFailure(
                    "'\(option)' is neither timeout=DURATION, nor JSON, nor @FILE",
                    status: .dataError)
            }
            entry.timeout = timeout
        }
        if !rest.isEmpty { entry.request = String(rest) }
        return entry
    }
}

/// Chooses methods by their weights, evenly: in any row of as many calls as the sum of the weights,
/// each method has as many as its weight. A value.
struct WeightedChoice: Hashable, Sendable {
    private let weights: [Int]
    private let sum: Int
    private var credits: [Int]

    /// - Parameter weights: at least one, each positive.
    init(_ weights: [Int]) {
        self.weights = weights
        sum = weights.reduce(0, +)
        credits = weights.map { _ in 0 }
    }

    /// Returns the index of the next one: that which has waited longest for its share.
    mutating func next() -> Int {
        if weights.count == 1 { return 0 }
        var best = 0
        for index in weights.indices {
            credits[index] += weights[index]
            if credits[index] > credits[best] { best = index }
        }
        credits[best] -= sum
        return best
    }
}
