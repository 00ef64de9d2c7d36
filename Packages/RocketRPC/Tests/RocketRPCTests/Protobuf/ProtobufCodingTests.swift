import FoundationEssentials
import RocketBase
import SwiftProtobuf
import Testing

@testable import RocketRPC

@Suite("Protobuf coding")
struct ProtobufCodingTests {
    private static func full() -> Kinds3_All {
        .with {
            $0.doubleOne = -1.5
            $0.floatOne = 3.25
            $0.int32One = -7
            $0.int64One = .min
            $0.uint32One = .max
            $0.uint64One = .max
            $0.sint32One = .min
            $0.sint64One = -1
            $0.fixed32One = 0xDEAD_BEEF
            $0.fixed64One = 1
            $0.sfixed32One = -2
            $0.sfixed64One = -3
            $0.boolOne = true
            $0.stringOne = "äöü €, more than fifteen bytes"
            $0.bytesOne = Data([0, 1, 255])
            $0.colourOne = .below
            $0.int32Maybe = 0
            $0.stringMaybe = ""
            $0.colourMaybe = .none
            $0.int32Many = [1, -1, 300]
            $0.doubleMany = [0, .infinity]
            $0.sint64Many = [-1, 1, .max]
            $0.fixed32Many = [1, 2]
            $0.boolMany = [true, false]
            $0.stringMany = ["", "a", "b"]
            $0.bytesMany = [Data(), Data([9])]
            $0.colourMany = [.red, .far, .UNRECOGNIZED(77)]
            $0.allOne = .with { $0.stringOne = String(repeating: "x", count: 200) }
            $0.allMany = [.with { $0.int32One = 1 }, .init()]
            $0.int32Unpacked = [5, 6]
            $0.choice = .chosenAll(.with { $0.choice = .chosenString("inner") })
            $0.int32Map = [1: 2]
            $0.stringMap = ["key": "value", "": ""]
            $0.boolMap = [true: Data([1])]
            $0.sint64Map = [-5: 0.5]
            $0.colourMap = [3: .red]
            $0.allMap = ["deep": .with { $0.int32One = 4 }]
            $0.timestamp = .with { $0.seconds = 5 }
            $0.text = "wrapped"
            $0.far = 1
            $0.farthest = 2
        }
    }

    /// Whether Rocket's decoder accepts the bytes, without the fallback to swift-protobuf.
    private func decodesFast<M: Message>(_ type: M.Type, _ bytes: [UInt8]) throws -> Bool {
        do {
            var message = M()
            try unsafe bytes.withUnsafeBytes { bytes throws in
                let start = try #require(bytes.baseAddress)
                var reader = unsafe _ProtobufReader(bytes, start)
                try reader.readWhole(&message) { (message, reader) throws in
                    try message.decodeMessage(decoder: &reader)
                }
            }
            return true
        } catch is _ProtobufFallback {
            return false
        }
    }

    @Test("Rocket's codec encodes and decodes every kind of field of proto3")
    func everyKind() throws {
        let message = Self.full()
        let bytes: [UInt8] = try message.serializedBytes()
        #expect(CodingCases.all3.difference(encoding: message) == nil)
        #expect(CodingCases.all3.difference(decoding: bytes) == nil)
        #expect(try unsafe CodingCases.all3.coding.message(from: bytes.span.bytes) == message)
        #expect(try decodesFast(Kinds3_All.self, bytes))
    }

    @Test("Rocket's codec keeps unknown fields, also in nested messages")
    func unknownFields() throws {
        let inner: [UInt8] = [0x08, 0x01, 0xC2, 0x3E, 0x02, 0x41, 0x42]
        let bytes: [UInt8] = [0xF8, 0x7C, 0x2A] + [0x8A, 0x01, UInt8(inner.count)] + inner
        let message = try unsafe CodingCases.all3.coding.message(from: bytes.span.bytes)
        #expect([UInt8](message.unknownFields.data) == [0xF8, 0x7C, 0x2A])
        #expect([UInt8](message.allOne.unknownFields.data) == inner)
        #expect(CodingCases.all3.difference(decoding: bytes) == nil)
        #expect(try decodesFast(Kinds3_All.self, bytes))
    }

    @Test("Two parts of a message are merged, including their unknown fields")
    func merged() {
        let part: [UInt8] = [0x18, 0x05, 0xF8, 0x7C, 0x2A]
        let field: [UInt8] = [0x8A, 0x01, UInt8(part.count)] + part
        #expect(CodingCases.all3.difference(decoding: field + field) == nil)
    }

    @Test("Invalid UTF-8 is refused")
    func invalidText() {
        for text: [UInt8] in [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0x41, 0x80]] {
            #expect(throws: BinaryDecodingError.invalidUTF8) {
                let bytes = [0x72, UInt8(text.count)] + text
                return try unsafe CodingCases.all3.coding.message(from: bytes.span.bytes)
            }
        }
    }

    @Test("A truncated message is refused or decoded exactly as by swift-protobuf")
    func truncated() throws {
        let bytes: [UInt8] = try Self.full().serializedBytes()
        for count in 0..<bytes.count {
            #expect(CodingCases.all3.difference(decoding: Array(bytes.prefix(count))) == nil)
        }
    }

    @Test(
        "Messages nested deeper than swift-protobuf allows are refused", arguments: [99, 100, 101])
    func depth(levels: Int) throws {
        var message = Kinds3_All()
        for _ in 1..<levels { message = .with { [message] in $0.allOne = message } }
        let bytes: [UInt8] = try message.serializedBytes()
        #expect(CodingCases.all3.difference(encoding: message) == nil)
        #expect(CodingCases.all3.difference(decoding: bytes) == nil)
        #expect(try decodesFast(Kinds3_All.self, bytes) == (levels <= 100))
    }

    @Test(
        "Lengths of one to four bytes are written in the shortest form",
        arguments: [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152])
    func lengths(count: Int) {
        let text = String(repeating: "y", count: count)
        let message = Kinds3_All.with { $0.allOne = .with { $0.allOne.stringOne = text } }
        #expect(CodingCases.all3.difference(encoding: message) == nil)
    }

    @Test("Groups, extensions and required fields are handled as by swift-protobuf")
    func proto2() throws {
        let message = Kinds2_Whole.with {
            $0.id = 1
            $0.box = .with { $0.width = 5 }
            $0.item = [.with { $0.label = "a" }, .init()]
            $0.packedSizes = [.small, .large]
            $0.sizeMap = ["s": .large]
            $0.Kinds2_extra = 9
            $0.Kinds2_notes = ["n"]
            $0.Kinds2_more = .with { $0.id = 2 }
        }
        let bytes: [UInt8] = try message.serializedBytes()
        #expect(CodingCases.whole2.difference(encoding: message) == nil)
        #expect(CodingCases.whole2.difference(decoding: bytes) == nil)
        // id is required.
        #expect(CodingCases.whole2.difference(encoding: .init()) == nil)
        #expect(CodingCases.whole2.difference(decoding: [0x12, 0x01, 0x41]) == nil)
        #expect(throws: BinaryDecodingError.missingRequiredFields) {
            try CodingCases.whole2.coding.message(from: RawSpan())
        }
    }

    @Test("swift-protobuf encodes and decodes message sets")
    func messageSet() {
        let message = Kinds2_Open.with {
            $0.Kinds2_Member_member = .with { $0.value = 3 }
        }
        #expect(CodingCases.open2.difference(encoding: message) == nil)
    }

    @Test("A default coding encodes and decodes with swift-protobuf")
    func plain() {
        let coding = CodingCase<Kinds3_All>(.init())
        #expect(coding.difference(encoding: Self.full()) == nil)
        #expect(coding.difference(decoding: [0x18, 0x05]) == nil)
        #expect(coding.difference(decoding: [0x18]) == nil)
    }
}
