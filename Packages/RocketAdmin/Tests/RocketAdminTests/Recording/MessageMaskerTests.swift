import RocketBinaryLog
import SwiftProtobuf
import Testing

@testable import RocketAdmin

/// Messages of google/protobuf/descriptor.proto itself: they have texts, numbers, nested and repeated
/// messages, and generated code.
struct MessageMaskerTests {
    private typealias File = Google_Protobuf_FileDescriptorProto
    private typealias Field = Google_Protobuf_FieldDescriptorProto

    private func field(
        _ number: Int32, _ name: String, _ type: Field.TypeEnum, of message: String = ""
    ) -> Field {
        .with {
            ($0.number, $0.name, $0.type) = (number, name, type)
            if !message.isEmpty { $0.typeName = ".test.\(message)" }
        }
    }

    private var layouts: MessageLayouts {
        let order = Google_Protobuf_DescriptorProto.with {
            $0.name = "Order"
            $0.field = [
                field(1, "id", .int64), field(2, "name", .string),
                field(3, "card", .message, of: "Card"),
                field(4, "items", .message, of: "Order.Item"), field(5, "prices", .double),
                field(6, "any", .message), field(7, "old", .group, of: "Old"),
                field(8, "next", .message, of: "Order"),
            ]
            $0.field[5].typeName = ".google.protobuf.Any"
            $0.nestedType = [
                .with {
                    $0.name = "Item"
                    $0.field = [field(1, "name", .string), field(2, "key", .bytes)]
                }
            ]
        }
        let card = Google_Protobuf_DescriptorProto.with {
            $0.name = "Card"
            $0.field = [field(1, "number", .string), field(2, "year", .uint32)]
        }
        return MessageLayouts([
            .with {
                $0.package = "test"
                $0.messageType = [order, card]
            }
        ])
    }

    private func masked(_ bytes: [UInt8], _ masks: String...) throws -> [UInt8]? {
        MessageMasker(layouts: layouts, masks: try masks.map { try #require(FieldPath($0)) })
            .masked(bytes, of: "test.Order")
    }

    /// A field with a length.
    private func part(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
        [number << 3 | 2, UInt8(bytes.count)] + bytes
    }

    private func part(_ number: UInt8, _ text: String) -> [UInt8] { part(number, Array(text.utf8)) }

    @Test("masked texts become ***, numbers and packed numbers are left out, messages become empty")
    func kinds() throws {
        let order =
            [8, 42] + part(2, "apple") + part(3, part(1, "4711") + [16, 9])
            + part(4, part(1, "x") + part(2, [0, 255])) + part(5, [0, 0, 0, 0, 0, 0, 0, 0])
        let card = part(3, part(1, "4711") + [16, 9])
        let item = part(4, part(1, "x") + part(2, [0, 255]))
        #expect(
            try masked(order, "year") == order.replacing(card, with: part(3, part(1, "4711"))))
        #expect(try masked(order, "card") == order.replacing(card, with: part(3, [])))
        #expect(try masked(order, "id") == Array(order.dropFirst(2)))
        #expect(try masked(order, "prices") == Array(order.dropLast(10)))
        #expect(
            try masked(order, "key")
                == order.replacing(item, with: part(4, part(1, "x") + part(2, "***"))))
        let names = try #require(try masked(order, "name"))
        #expect(
            names.containsText("***") && !names.containsText("apple") && !names.containsText("x"))
        let anchored = try #require(try masked(order, ".name"))
        #expect(!anchored.containsText("apple") && anchored.containsText("x"))
        #expect(try !#require(try masked(order, "card.number")).containsText("4711"))
    }

    @Test("what may hide a masked field is left out, but nothing without masks")
    func hidden() throws {
        let unknown = part(15, "secret")
        let group: [UInt8] = [7 << 3 | 3] + part(1, "secret") + [7 << 3 | 4]
        let any = part(6, part(1, "type/secret") + part(2, "secret"))
        let bytes = [8, 1] + unknown + group + any
        #expect(try masked(bytes) == bytes)
        #expect(try masked(bytes, "number") == [8, 1] + part(6, []))
    }

    @Test("nested messages are masked at any depth, and too deep ones not at all")
    func depth() throws {
        var order = part(2, "apple")
        for _ in 0..<50 { order = [8 << 3 | 2] + varint(order.count) + order }
        #expect(try !#require(try masked(order, "name")).containsText("apple"))
        for _ in 0..<60 { order = [8 << 3 | 2] + varint(order.count) + order }
        #expect(try masked(order, "name") == nil)
    }

    private func varint(_ value: Int) -> [UInt8] {
        value < 128 ? [UInt8(value)] : [UInt8(value & 127) | 128] + varint(value >> 7)
    }

    @Test("what is no message of a known type can't be masked")
    func broken() throws {
        for bytes: [UInt8] in [
            [0], [255], [8], [18, 5, 1], [26, 2, 10, 9], [7 << 3 | 3], [7 << 3 | 4], [9, 1], [15],
            [128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 1], [16, 5],
        ] {
            #expect(try masked(bytes, "name") == nil, "\(bytes)")
        }
        let masker = MessageMasker(layouts: layouts, masks: [try #require(FieldPath("name"))])
        #expect(masker.masked([], of: "test.Unknown") == nil)
        #expect(masker.masked([], of: "test.Order") == [])
    }

    @Test("random bytes never trap, and never show a masked text")
    func random() throws {
        var generator = SystemRandomNumberGenerator()
        let seed = generator.next()
        var state = seed
        func next() -> UInt8 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
        let order = part(2, "apple") + part(3, part(1, "apple")) + part(4, part(1, "apple"))
        for _ in 0..<5_000 {
            var bytes = order
            for _ in 0..<(next() % 4) { bytes[Int(next()) % bytes.count] = next() }
            _ = try masked(bytes, "name", "number")
        }
        #expect(try !#require(try masked(order, "name", "number")).containsText("apple"), "\(seed)")
    }

    @Test("masks that name no field are found")
    func unknownMasks() throws {
        func contains(_ text: String) throws -> Bool {
            let path = try #require(FieldPath(text))
            return layouts.contains(
                path.names, isAnchored: path.isAnchored, roots: ["test.Order"])
        }
        for text in ["name", "card.number", ".card", "*.number", "items.key", ".next.next.id"] {
            #expect(try contains(text), "\(text)")
        }
        for text in ["nome", "card.id", ".number", "items.number", "id.x", "name.name"] {
            #expect(try !contains(text), "\(text)")
        }
    }
}

extension [UInt8] {
    fileprivate func containsText(_ text: String) -> Bool {
        let wanted = Array(text.utf8)
        return indices.contains { self[$0...].starts(with: wanted) }
    }

    /// With the first occurrence of a part replaced.
    fileprivate func replacing(_ part: [UInt8], with other: [UInt8]) -> [UInt8] {
        guard let at = indices.first(where: { self[$0...].starts(with: part) }) else { return self }
        return Array(self[..<at]) + other + self[(at + part.count)...]
    }
}
