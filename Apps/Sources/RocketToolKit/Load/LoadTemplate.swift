import RocketBase
import RocketProgram
import RocketSystem

/// A text with placeholders: `{"id": "{{uuid}}", "price": {{random 1 100}}}`. What is put in their
/// place depends on the seed and the number of the call only, except for the time. A value.
struct LoadTemplate: Hashable, Sendable {
    enum Part: Hashable, Sendable {
        case text(String)
        /// The number of the call in the load, from 0.
        case sequence
        /// A whole number within these limits.
        case random(ClosedRange<Int>)
        /// A UUID of version 4.
        case uuid
        /// That many random letters.
        case letters(Int)
        /// One of these words.
        case pick([String])
        /// Milliseconds since 1970.
        case time
    }

    /// The most letters of one placeholder.
    static let maxLetters = 1 << 20
    /// The most bytes of one that fills.
    static let maxFill = 32 << 20

    let parts: [Part]

    /// - Throws: `ProgramFailure` (dataError) for a placeholder that is unknown or has wrong values.
    init(_ text: String) throws(ProgramFailure) {
        var parts: [Part] = []
        var rest = text[...]
        while let open = rest.firstRange(of: "{{") {
            if open.lowerBound > rest.startIndex {
                parts.append(.text(String(rest[..<open.lowerBound])))
            }
            rest = rest[open.upperBound...]
            guard let close = rest.firstRange(of: "}}") else {
                throw ProgramFailure("a placeholder has no end: {{\(rest)", status: .dataError)
            }
            parts.append(try Self.part(rest[..<close.lowerBound]))
            rest = rest[close.upperBound...]
        }
        if !rest.isEmpty { parts.append(.text(String(rest))) }
        self.parts = parts
    }

    private static let forms = [
        "sequence", "random LOWEST HIGHEST", "uuid", "letters COUNT", "fill COUNT",
        "pick WORD WORD…", "time",
    ]

    private static func part(_ text: Substring) throws(ProgramFailure) -> Part {
        let words = text.split(separator: " ").map(String.init)
        let numbers = words.dropFirst().compactMap { Int($0) }
        switch (words.first ?? "", words.count) {
        case ("sequence", 1): return .sequence
        case ("uuid", 1): return .uuid
        case ("time", 1): return .time
        case ("pick", 2...): return .pick(Array(words.dropFirst()))
        case ("letters", 2) where numbers.count == 1 && (0...maxLetters).contains(numbers[0]):
            return .letters(numbers[0])
        case ("fill", 2) where numbers.count == 1 && (0...maxFill).contains(numbers[0]):
            let letters = [UInt8](repeating: UInt8(ascii: "a"), count: numbers[0])
            return .text(String(decoding: letters, as: UTF8.self))
        case ("random", 3) where numbers.count == 2 && numbers[0] <= numbers[1]:
            return .random(numbers[0]...numbers[1])
        default:
            throw ProgramFailure(
                "there is no placeholder {{\(text)}}; there are "
                    + forms.map { "{{\($0)}}" }.joined(separator: ", "), status: .dataError)
        }
    }

    /// Whether it has no placeholders.
    var isConstant: Bool {
        parts.allSatisfy { if case .text = $0 { true } else { false } }
    }

    /// Returns the text of a call.
    func text(_ values: inout LoadValues) -> String {
        parts.reduce(into: "") { result, part in
            switch part {
            case .text(let text): result += text
            case .sequence: result += "\(values.sequence)"
            case .random(let range): result += "\(Int.random(in: range, using: &values))"
            case .uuid: result += values.uuid()
            case .letters(let count):
                for _ in 0..<count {
                    result.unicodeScalars.append(
                        Unicode.Scalar(UInt8(ascii: "a") + UInt8(values.next() >> 32 % 26)))
                }
            case .pick(let words):
                result += words[Int.random(in: 0..<words.count, using: &values)]
            case .time: result += "\(values.time.wall().nanoseconds / 1_000_000)"
            }
        }
    }
}

/// Where the placeholders of one call get their values: SplitMix64, begun by the seed and the call's
/// number.
struct LoadValues: RandomNumberGenerator, Sendable {
    let sequence: Int
    let time: any TimeSource
    private var state: UInt64

    init(sequence: Int, seed: UInt64, time: any TimeSource = SystemTimeSource()) {
        self.sequence = sequence
        self.time = time
        state = seed
        // Neighbours in the sequence would share numbers otherwise.
        state = next() ^ UInt64(truncatingIfNeeded: sequence) &* 0xD134_2543_DE82_EF95
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// Returns a UUID of version 4.
    mutating func uuid() -> String {
        let high = next() & ~0xF000 | 0x4000
        let low = next() & ~(3 << 62) | 2 << 62
        let digits = [high, low].map { number in
            let hex = String(number, radix: 16)
            return String(repeating: "0", count: 16 - hex.count) + hex
        }.joined()
        var result = ""
        for (position, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(position) { result += "-" }
            result.append(digit)
        }
        return result
    }
}
