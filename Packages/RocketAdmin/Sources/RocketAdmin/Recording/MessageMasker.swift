import RocketBinaryLog

/// Takes the values of masked fields out of encoded messages, by the descriptors of a server. A value.
///
/// A masked string and masked bytes become `***`, a masked message becomes empty, and other masked
/// fields are left out, as if they had their defaults. Where anything is masked, whatever may hide a
/// masked field is left out, too: fields that the descriptors do not have, groups of proto2, and what
/// is in a `google.protobuf.Any`.
struct MessageMasker: Sendable {
    let layouts: MessageLayouts
    let masks: [FieldPath]

    /// What stands for a text.
    static let text = Array("***".utf8)
    /// The deepest nesting of messages.
    private static let maxDepth = 100
    private static let anyType = "google.protobuf.Any"

    /// Returns a message without the values of masked fields; nil: its type is not known, or it is no
    /// such message.
    ///
    /// - Parameter type: the full name of its type.
    func masked(_ bytes: [UInt8], of type: String) -> [UInt8]? {
        if masks.isEmpty { return bytes }
        guard let layout = layouts.types[type] else { return nil }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var steps: [FieldPath.Step] = []
        guard copy(bytes[...], layout, &steps, to: &result) else { return nil }
        return result
    }

    /// Appends a message without the values.
    ///
    /// - Returns: false if it is no such message.
    private func copy(
        _ message: ArraySlice<UInt8>, _ layout: MessageLayouts.Layout,
        _ steps: inout [FieldPath.Step], to result: inout [UInt8]
    ) -> Bool {
        if steps.count > Self.maxDepth { return false }
        var fields = EncodedFields(message)
        while let field = fields.next() {
            guard let known = layout[field.number] else { continue }
            steps.append(.name(known.name))
            defer { steps.removeLast() }
            let isMasked = masks.contains { $0.matches(steps) }
            switch known.kind {
            case .group: continue
            case .text where isMasked:
                if field.value == nil { return false }
                field.append(Self.text[...], to: &result)
            case .message where isMasked: field.append([], to: &result)
            case .message(Self.anyType): field.append([], to: &result)
            case .message(let type):
                guard let value = field.value, let inner = layouts.types[type] else { return false }
                var copied: [UInt8] = []
                guard copy(value, inner, &steps, to: &copied) else { return false }
                field.append(copied[...], to: &result)
            case .number where isMasked: continue
            case .text, .number: result += field.bytes
            }
        }
        return !fields.isBroken
    }
}

/// The fields of an encoded message, one after another; groups are skipped. A value.
struct EncodedFields {
    struct Field {
        let number: Int
        /// With its key.
        let bytes: ArraySlice<UInt8>
        /// Its key.
        let key: ArraySlice<UInt8>
        /// What a text, a message or packed numbers contain; nil for any other field.
        let value: ArraySlice<UInt8>?

        /// Appends a field of the same number with another value of that kind.
        func append(_ value: ArraySlice<UInt8>, to result: inout [UInt8]) {
            if self.value == nil { return }
            result += key
            var count = value.count
            while count >= 0x80 {
                result.append(UInt8(truncatingIfNeeded: count) | 0x80)
                count >>= 7
            }
            result.append(UInt8(count))
            result += value
        }
    }

    private var rest: ArraySlice<UInt8>
    /// Set at the end: what is left is no field.
    private(set) var isBroken = false
    private static let maxGroups = 100

    init(_ message: ArraySlice<UInt8>) { rest = message }

    /// Returns the next field that is no group; nil: there are no more.
    mutating func next() -> Field? {
        var groups = 0
        while !rest.isEmpty {
            let start = rest
            guard let key = varint(), key >> 3 != 0, key >> 3 < 1 << 29 else { return broken() }
            let keyBytes = start[..<rest.startIndex]
            var value: ArraySlice<UInt8>?
            switch key & 7 {
            case 0: if varint() == nil { return broken() }
            case 1: if !drop(8) { return broken() }
            case 2:
                guard let count = varint(), count <= UInt64(rest.count) else { return broken() }
                value = rest.prefix(Int(count))
                rest = rest.dropFirst(Int(count))
            case 3:
                groups += 1
                if groups > Self.maxGroups { return broken() }
                continue
            case 4:
                groups -= 1
                if groups < 0 { return broken() }
                continue
            case 5: if !drop(4) { return broken() }
            default: return broken()
            }
            if groups > 0 { continue }
            return Field(
                number: Int(key >> 3), bytes: start[..<rest.startIndex], key: keyBytes,
                value: value)
        }
        if groups > 0 { isBroken = true }
        return nil
    }

    private mutating func broken() -> Field? {
        isBroken = true
        rest = []
        return nil
    }

    private mutating func drop(_ count: Int) -> Bool {
        if rest.count < count { return false }
        rest = rest.dropFirst(count)
        return true
    }

    private mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }
}
