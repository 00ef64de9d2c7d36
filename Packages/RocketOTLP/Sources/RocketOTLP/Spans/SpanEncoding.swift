import FoundationEssentials
import SwiftProtobuf
import Tracing

/// Makes the message of a span, within `SpanLimits`. A value, used for one span.
struct SpanEncoding {
    /// How many bytes the span may still have, about.
    private var left = SpanLimits.bytes

    /// Returns the message, and about how many bytes it has.
    static func message(of record: SpanRecord) -> (span: OTLPSpan, bytes: Int) {
        var encoding = SpanEncoding()
        let span = encoding.span(record)
        return (span, SpanLimits.bytes - encoding.left)
    }

    private mutating func span(_ record: SpanRecord) -> OTLPSpan {
        var span = OTLPSpan()
        span.traceID = Self.bytes(record.context.traceID.high, record.context.traceID.low)
        span.spanID = Self.bytes(record.context.spanID)
        if record.parentSpanID != 0 { span.parentSpanID = Self.bytes(record.parentSpanID) }
        span.traceState = record.context.state
        span.flags = UInt32(record.context.flags)
        span.name = record.name.limited
        span.kind = OTLPSpan.SpanKind(record.kind)
        span.startTimeUnixNano = record.startNanoseconds
        span.endTimeUnixNano = record.endNanoseconds
        if let status = record.status {
            span.status.code = status.code == .ok ? .ok : .error
            // Only an error has a description.
            if status.code == .error { span.status.message = (status.message ?? "").limited }
        }
        left -= 64 + span.name.utf8.count + span.status.message.utf8.count
        (span.attributes, span.droppedAttributesCount) = attributes(record.attributes)
        var dropped = record.droppedEvents
        for event in record.events {
            guard let message = self.event(event) else {
                dropped += 1
                continue
            }
            span.events.append(message)
        }
        span.droppedEventsCount = UInt32(clamping: dropped)
        dropped = record.droppedLinks
        for link in record.links {
            guard left > 0 else {
                dropped += 1
                continue
            }
            span.links.append(self.link(link))
        }
        span.droppedLinksCount = UInt32(clamping: dropped)
        return span
    }

    private mutating func event(_ event: SpanEvent) -> OTLPSpan.Event? {
        guard left > 0 else { return nil }
        var message = OTLPSpan.Event()
        message.timeUnixNano = event.nanosecondsSinceEpoch
        message.name = event.name.limited
        left -= 16 + message.name.utf8.count
        (message.attributes, message.droppedAttributesCount) = attributes(event.attributes)
        return message
    }

    private mutating func link(_ link: SpanRecord.Link) -> OTLPSpan.Link {
        var message = OTLPSpan.Link()
        message.traceID = Self.bytes(link.context.traceID.high, link.context.traceID.low)
        message.spanID = Self.bytes(link.context.spanID)
        message.traceState = link.context.state
        message.flags = UInt32(link.context.flags)
        left -= 40 + link.context.state.utf8.count
        (message.attributes, message.droppedAttributesCount) = attributes(link.attributes)
        return message
    }

    /// Returns the attributes in the order of their keys, and how many are missing.
    private mutating func attributes(
        _ attributes: SpanAttributes
    ) -> (values: [OTLPKeyValue], dropped: UInt32) {
        if attributes.isEmpty { return ([], 0) }
        var all: [(key: String, value: SpanAttribute)] = []
        all.reserveCapacity(attributes.count)
        attributes.forEach { all.append(($0, $1)) }
        all.sort { $0.key < $1.key }
        var values: [OTLPKeyValue] = []
        values.reserveCapacity(min(all.count, SpanLimits.attributes))
        for (key, value) in all {
            guard left > 0, values.count < SpanLimits.attributes, !key.isEmpty,
                key.utf8.count <= SpanLimits.valueBytes, let value = any(value)
            else { continue }
            values.append(OTLPKeyValue(key, value))
            left -= 8 + key.utf8.count
        }
        return (values, UInt32(clamping: all.count - values.count))
    }

    private mutating func any(_ value: SpanAttribute) -> OTLPAnyValue? {
        switch value {
        case .int32(let number): integer(Int64(number))
        case .int64(let number): integer(number)
        case .double(let number): double(number)
        case .bool(let flag): bool(flag)
        case .string(let text): string(text)
        case .stringConvertible(let value): string(String(describing: value))
        case .int32Array(let numbers): array(numbers) { $0.integer(Int64($1)) }
        case .int64Array(let numbers): array(numbers) { $0.integer($1) }
        case .doubleArray(let numbers): array(numbers) { $0.double($1) }
        case .boolArray(let flags): array(flags) { $0.bool($1) }
        case .stringArray(let texts): array(texts) { $0.string($1) }
        case .stringConvertibleArray(let values):
            array(values) { $0.string(String(describing: $1)) }
        default: nil
        }
    }

    private mutating func array<Element>(
        _ elements: [Element], _ element: (inout SpanEncoding, Element) -> OTLPAnyValue
    ) -> OTLPAnyValue {
        var array = OTLPArrayValue()
        for value in elements.prefix(SpanLimits.arrayElements) where left > 0 {
            array.values.append(element(&self, value))
        }
        return .with { $0.arrayValue = array }
    }

    private mutating func string(_ text: String) -> OTLPAnyValue {
        let text = text.limited
        left -= 4 + text.utf8.count
        return .with { $0.stringValue = text }
    }

    private mutating func integer(_ number: Int64) -> OTLPAnyValue {
        left -= 8
        return .with { $0.intValue = number }
    }

    private mutating func double(_ number: Double) -> OTLPAnyValue {
        left -= 8
        return .with { $0.doubleValue = number }
    }

    private mutating func bool(_ flag: Bool) -> OTLPAnyValue {
        left -= 4
        return .with { $0.boolValue = flag }
    }

    /// Big-endian.
    static func bytes(_ numbers: UInt64...) -> Data {
        var bytes = Data()
        bytes.reserveCapacity(numbers.count * 8)
        for number in numbers {
            for shift in stride(from: UInt64(56), through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: number &>> shift))
            }
        }
        return bytes
    }
}

extension OTLPKeyValue {
    init(_ key: String, _ value: OTLPAnyValue) {
        self.init()
        self.key = key
        self.value = value
    }

    init(_ key: String, _ text: String) { self.init(key, .with { $0.stringValue = text }) }
}

extension OTLPSpan.SpanKind {
    init(_ kind: SpanKind) {
        self =
            switch kind {
            case .internal: .internal
            case .server: .server
            case .client: .client
            case .producer: .producer
            case .consumer: .consumer
            }
    }
}

extension String {
    /// At most `SpanLimits.valueBytes`, without a part of a character.
    var limited: String {
        if utf8.count <= SpanLimits.valueBytes { return self }
        var end = utf8.index(startIndex, offsetBy: SpanLimits.valueBytes)
        while end > startIndex, end.samePosition(in: unicodeScalars) == nil {
            end = utf8.index(before: end)
        }
        return String(self[..<end])
    }
}
