/// Finds which field of a JSON object is invalid, after a decoder has refused the whole without saying
/// which: decodes the members one by one. A value; limited in what it tries.
struct JSONFieldFinder {
    /// Longer objects are not looked through.
    private static let mostObjectBytes = 256 << 10
    /// So many bytes are decoded again at most.
    private static let mostBytes = 128 << 10
    /// A name is not made longer.
    private static let mostNameBytes = 128

    private let json: [UInt8]
    private let isValid: ([UInt8]) -> Bool
    private var budget = Self.mostBytes
    /// What is around the value that is looked at, so that it alone is in the object.
    private var before: [UInt8] = []
    private var after: [UInt8] = []
    private var name = ""

    /// Returns the name of the field, such as `items[2].price`; nil if it is none in particular, or
    /// takes too long to find.
    ///
    /// - Parameter isValid: whether an object is valid.
    static func invalidField(in json: [UInt8], _ isValid: ([UInt8]) -> Bool) -> String? {
        if json.count > mostObjectBytes { return nil }
        return withoutActuallyEscaping(isValid) { isValid in
            var finder = JSONFieldFinder(json: json, isValid: isValid)
            finder.find()
            return finder.name.isEmpty ? nil : finder.name
        }
    }

    private init(json: [UInt8], isValid: @escaping ([UInt8]) -> Bool) {
        self.json = json
        self.isValid = isValid
    }

    private mutating func find() {
        var scanner = JSONScanner(json)
        guard var value = scanner.value() else { return }
        while let inner = descend(into: value) { value = inner }
    }

    /// Enters the first member or element that is invalid alone.
    ///
    /// - Returns: the range of its value; nil if there is none.
    private mutating func descend(into value: Range<Int>) -> Range<Int>? {
        if value.isEmpty || name.utf8.count > Self.mostNameBytes { return nil }
        var scanner = JSONScanner(json, from: value.lowerBound)
        switch json[value.lowerBound] {
        case UInt8(ascii: "{"):
            let members = scanner.members()
            // Members of an Any are not valid without its type.
            if members.contains(where: { json[$0.key].elementsEqual("\"@type\"".utf8) }) {
                return nil
            }
            for member in members {
                let start = Array("{".utf8) + json[member.key] + ":".utf8
                guard let isInvalid = isInvalid(start, member.value, "}") else { return nil }
                if isInvalid {
                    let key = json[member.key].dropFirst().dropLast()
                    name +=
                        (name.isEmpty ? "" : ".") + String(decoding: key.prefix(64), as: UTF8.self)
                    return member.value
                }
            }
        case UInt8(ascii: "["):
            for (index, element) in scanner.elements().enumerated() {
                guard let isInvalid = isInvalid(Array("[".utf8), element, "]") else { return nil }
                if isInvalid {
                    name += "[\(index)]"
                    return element
                }
            }
        default: break
        }
        return nil
    }

    /// Whether the value is invalid without what is beside it; then `before` and `after` are around it.
    /// Nil: the budget is used up.
    private mutating func isInvalid(
        _ start: [UInt8], _ value: Range<Int>, _ end: StaticString
    ) -> Bool? {
        let newBefore = before + start
        let newAfter = "\(end)".utf8 + after
        budget -= newBefore.count + value.count + newAfter.count
        if budget < 0 { return nil }
        if isValid(newBefore + json[value] + newAfter) { return false }
        before = newBefore
        after = newAfter
        return true
    }
}

/// Finds the ends of values in JSON, as far as it is well-formed. A value.
struct JSONScanner {
    private let json: [UInt8]
    private var index: Int

    init(_ json: [UInt8], from start: Int = 0) {
        self.json = json
        index = start
    }

    /// The members of the object that begins here, up to the first that is malformed: the keys with
    /// their quotes.
    mutating func members() -> [(key: Range<Int>, value: Range<Int>)] {
        var members: [(key: Range<Int>, value: Range<Int>)] = []
        index += 1
        while peek() == UInt8(ascii: "\""), let key = value(), take(UInt8(ascii: ":")),
            let value = value()
        {
            members.append((key, value))
            if !take(UInt8(ascii: ",")) { break }
        }
        return members
    }

    /// The elements of the array that begins here.
    mutating func elements() -> [Range<Int>] {
        var elements: [Range<Int>] = []
        index += 1
        while let byte = peek(), byte != UInt8(ascii: "]"), let element = value() {
            elements.append(element)
            if !take(UInt8(ascii: ",")) { break }
        }
        return elements
    }

    /// Takes a value, without looking into it.
    ///
    /// - Returns: its range; nil if the input ends within it.
    mutating func value() -> Range<Int>? {
        guard let first = peek() else { return nil }
        let start = index
        switch first {
        case UInt8(ascii: "\""):
            if !skipString() { return nil }
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            if !skipNested() { return nil }
        default:
            while index < json.count, !Self.isEnd(json[index]) { index += 1 }
        }
        return start..<index
    }

    private mutating func skipNested() -> Bool {
        var depth = 0
        while index < json.count {
            switch json[index] {
            case UInt8(ascii: "\""):
                if !skipString() { return false }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: break
            }
            index += 1
            if depth == 0 { return true }
        }
        return false
    }

    private mutating func skipString() -> Bool {
        index += 1
        while index < json.count {
            let byte = json[index]
            index += byte == UInt8(ascii: "\\") ? 2 : 1
            if byte == UInt8(ascii: "\"") { return true }
        }
        return false
    }

    /// The next byte that is no space.
    private mutating func peek() -> UInt8? {
        while index < json.count, Self.isSpace(json[index]) { index += 1 }
        return index < json.count ? json[index] : nil
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        index += 1
        return true
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    private static func isEnd(_ byte: UInt8) -> Bool {
        isSpace(byte) || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}")
            || byte == UInt8(ascii: "]")
    }
}
