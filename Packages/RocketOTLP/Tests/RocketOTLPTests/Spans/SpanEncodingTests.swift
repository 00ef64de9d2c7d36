import FoundationEssentials
import SwiftProtobuf
import Testing
import Tracing

@testable import RocketOTLP

struct SpanEncodingTests {
    static func record(_ name: String = "shop.Orders.make") -> SpanRecord {
        var context = TraceContext(traceID: (1, 2), spanID: 3, flags: 1)
        context.state = "a=b"
        var record = SpanRecord(
            context: context, parentSpanID: 4, name: name, kind: .server, startNanoseconds: 5)
        record.endNanoseconds = 6
        return record
    }

    @Test("A span has its ids, its parent, its state, times, kind and status")
    func fields() {
        var record = Self.record()
        record.status = SpanStatus(code: .error, message: "INTERNAL")
        let (span, bytes) = SpanEncoding.message(of: record)
        #expect(Array(span.traceID) == [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2])
        #expect(Array(span.spanID) == [0, 0, 0, 0, 0, 0, 0, 3])
        #expect(Array(span.parentSpanID) == [0, 0, 0, 0, 0, 0, 0, 4])
        #expect(span.traceState == "a=b")
        #expect(span.flags == 1)
        #expect(span.name == "shop.Orders.make")
        #expect(span.kind == .server)
        #expect((span.startTimeUnixNano, span.endTimeUnixNano) == (5, 6))
        #expect(span.status.code == .error)
        #expect(span.status.message == "INTERNAL")
        #expect((1..<1000).contains(bytes))
        record.parentSpanID = 0
        record.status = SpanStatus(code: .ok, message: "not told")
        let root = SpanEncoding.message(of: record).span
        #expect(root.parentSpanID.isEmpty)
        #expect(root.status.code == .ok)
        #expect(root.status.message.isEmpty)
    }

    @Test("Values of all types are exported, in the order of their keys")
    func values() {
        var record = Self.record()
        record.attributes["e"] = "text"
        record.attributes["d"] = true
        record.attributes.set("c", value: .double(1.5))
        record.attributes["b"] = Int64(-7)
        record.attributes.set("a", value: .int32(7))
        record.attributes.set("f", value: .stringArray(["x", "y"]))
        record.attributes.set("g", value: .int64Array([1, 2]))
        record.attributes.set("h", value: .doubleArray([0.5]))
        record.attributes.set("i", value: .boolArray([false]))
        record.attributes.set("j", value: .stringConvertible(Duration.seconds(2)))
        let span = SpanEncoding.message(of: record).span
        #expect(span.attributes.map(\.key) == ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"])
        let values = span.attributes.map(\.value)
        #expect(values[0].intValue == 7)
        #expect(values[1].intValue == -7)
        #expect(values[2].doubleValue == 1.5)
        #expect(values[3].boolValue)
        #expect(values[4].stringValue == "text")
        #expect(values[5].arrayValue.values.map(\.stringValue) == ["x", "y"])
        #expect(values[6].arrayValue.values.map(\.intValue) == [1, 2])
        #expect(values[7].arrayValue.values.map(\.doubleValue) == [0.5])
        #expect(values[8].arrayValue.values.map(\.boolValue) == [false])
        #expect(values[9].stringValue == "2.0 seconds")
    }

    @Test("Events and links are exported")
    func parts() {
        var record = Self.record()
        record.add(SpanEvent(name: "sent", attributes: ["n": "1"]))
        let other = TraceContext(traceID: (8, 9), spanID: 10, flags: 0)
        record.add(SpanRecord.Link(context: other, attributes: ["why": "batch"]))
        let span = SpanEncoding.message(of: record).span
        #expect(span.events.map(\.name) == ["sent"])
        #expect(span.events[0].attributes.map(\.key) == ["n"])
        #expect(span.links.map { $0.spanID.last } == [10])
        #expect(span.links[0].attributes.map(\.value.stringValue) == ["batch"])
    }

    @Test("What a span has beyond its limits is dropped, and the span says how much")
    func limits() {
        var record = Self.record(String(repeating: "ä", count: 600))
        for number in 0..<130 { record.attributes["a\(number)"] = Int64(number) }
        for _ in 0..<131 { record.add(SpanEvent(name: "event")) }
        for _ in 0..<132 { record.add(.init(context: record.context, attributes: [:])) }
        let span = SpanEncoding.message(of: record).span
        // 1024 bytes are 512 characters of 2.
        #expect(span.name == String(repeating: "ä", count: 512))
        #expect(span.attributes.count == 128)
        #expect(span.droppedAttributesCount == 2)
        #expect(span.events.count == 128)
        #expect(span.droppedEventsCount == 3)
        #expect(span.links.count == 128)
        #expect(span.droppedLinksCount == 4)
        var odd = Self.record("a" + String(repeating: "ä", count: 600))
        odd.attributes.set("", value: "no key")
        let cut = SpanEncoding.message(of: odd).span
        #expect(cut.name == "a" + String(repeating: "ä", count: 511))
        #expect(cut.droppedAttributesCount == 1)
    }

    @Test("A span has about 64 KiB at most, whatever it was told")
    func size() throws {
        var record = Self.record()
        let text = String(repeating: "x", count: 2000)
        var attributes = SpanAttributes()
        for number in 0..<128 { attributes["a\(number)"] = text }
        record.attributes = attributes
        for _ in 0..<128 { record.add(SpanEvent(name: "event", attributes: attributes)) }
        for _ in 0..<128 { record.add(.init(context: record.context, attributes: attributes)) }
        let (span, bytes) = SpanEncoding.message(of: record)
        #expect(span.attributes.allSatisfy { $0.value.stringValue.utf8.count == 1024 })
        #expect(try span.serializedData().count < SpanLimits.bytes + 4096)
        #expect(bytes < SpanLimits.bytes + 4096)
        #expect(span.droppedAttributesCount == 128 - span.attributes.count)
        #expect(span.events.isEmpty)
        #expect(span.droppedEventsCount == 128)
        #expect(span.droppedLinksCount == 128)
    }
}
