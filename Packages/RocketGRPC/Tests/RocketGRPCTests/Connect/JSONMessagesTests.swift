import RocketBase
import SwiftProtobuf
import Testing

@testable import RocketGRPC

@Suite("Messages as JSON")
struct JSONMessagesTests {
    /// The failure of making a message of that text.
    private func decodingFailure(_ json: String, _ type: any Message.Type) -> WireFailure? {
        var buffer = ByteBuffer()
        do throws(WireFailure) {
            try JSONMessages.append([UInt8](json.utf8), of: type, to: &buffer)
            return nil
        } catch { return error }
    }

    private typealias File = Google_Protobuf_FileDescriptorProto

    @Test("JSON becomes Protobuf and back, and fields that are not known are ignored")
    func roundTrip() throws {
        var buffer = ByteBuffer()
        let json =
            #" {"name":"a","x":{"y":[1,"}"]},"messageType":[{"name":"M"}],"public_dependency":[3]}"#
        try JSONMessages.append([UInt8](json.utf8), of: File.self, to: &buffer)
        let message = try File(serializedBytes: buffer.copyBytes())
        #expect(message.name == "a" && message.messageType.first?.name == "M")
        #expect(message.publicDependency == [3])
        let back = try buffer.withBytes { try JSONMessages.json($0, of: File.self) }
        #expect(
            String(decoding: back, as: UTF8.self)
                == #"{"name":"a","messageType":[{"name":"M"}],"publicDependency":[3]}"#)
    }

    @Test(
        "An error names the field that is invalid",
        arguments: [
            (#"{"name":1}"#, "the field 'name'"),
            (#"{"package":"p","publicDependency":[1,"x"]}"#, "the field 'publicDependency[1]'"),
            (
                #"{"messageType":[{"name":"A"},{"field":[{"number":"1"},{"number":3000000000}]}]}"#,
                "the field 'messageType[1].field[1].number': a number is out of range"
            ),
            (
                #"{ "messageType" : [ { "field" : [ { "label" : 1.5 } ] } ] }"#,
                "the field 'messageType[0].field[0].label'"
            ),
            (#"{"name":"a\u12"}"#, "the field 'name'"), (#"{"options":7}"#, "the field 'options'"),
            (#"{"name":"a""#, "the JSON ends too early"), (#"{"name""#, "the JSON"),
            (#"{}x"#, "behind the JSON"), ("[]", "the JSON is invalid"), ("", "ends too early"),
            ("null", "null is not allowed"), (#"{"name":"a",}"#, "a string is expected"),
        ])
    func names(json: String, text: String) throws {
        let failure = try #require(decodingFailure(json, File.self), "\(json) is valid")
        #expect(failure.code == .invalidArgument)
        #expect(failure.text.hasPrefix("the request is no google.protobuf.FileDescriptorProto: "))
        #expect(failure.text.contains(text), "\(failure.text)")
    }

    @Test("A number with too many digits is no fault of UTF-8, and invalid UTF-8 is")
    func longNumbers() throws {
        let digits = String(repeating: "9", count: 100_000)
        for number in ["1e" + digits, digits, "0." + digits] {
            for json in ["{\"numberValue\":\(number)}", "{\"number_value\":\(number)}"] {
                let type = Google_Protobuf_UninterpretedOption.self
                let text = decodingFailure(json, type)?.text ?? ""
                #expect(!text.contains("UTF-8"), "\(text)")
            }
            let json = "{\"field\":[{\"number\":\(number)}]}"
            let failure = try #require(decodingFailure(json, Google_Protobuf_DescriptorProto.self))
            #expect(failure.text.contains("a number is"), "\(failure.text)")
        }
        var buffer = ByteBuffer()
        let failure = #expect(throws: WireFailure.self) {
            try JSONMessages.append(
                Array("{\"name\":\"".utf8) + [0xFF, 0xFE] + Array("\"}".utf8), of: File.self,
                to: &buffer)
        }
        #expect(failure?.text.contains("invalid UTF-8") == true)
    }

    @Test("A missing required field, deep nesting, and unknown types are errors")
    func others() throws {
        let name = Google_Protobuf_UninterpretedOption.NamePart.self
        #expect(decodingFailure("{}", name)?.text.contains("a required field is missing") == true)
        let deep = String(repeating: #"{"listValue":{"values":["#, count: 200)
        #expect(decodingFailure(deep, Google_Protobuf_Value.self)?.code == .invalidArgument)
        let any = #"{"@type":"type.googleapis.com/a.B","x":1}"#
        let anyFailure = decodingFailure(any, Google_Protobuf_Any.self)
        #expect(anyFailure?.text.contains("a type that the server does not know") == true)
        var unknown = Google_Protobuf_Any()
        unknown.typeURL = "type.googleapis.com/a.B"
        unknown.value = .init([1, 2, 3])
        let bytes: [UInt8] = try unknown.serializedBytes()
        let error = #expect(throws: WireFailure.self) {
            try JSONMessages.json(bytes.span.bytes, of: Google_Protobuf_Any.self)
        }
        #expect(error?.code == .failedSerialize)
    }

    @Test("The search for a field has a limit, whatever the object is")
    func budget() {
        var decoded = 0
        let members = (0..<20_000).map { "\"\($0)\":[{\"a\":[\($0)]}]" }.joined(separator: ",")
        let json = [UInt8]("{\(members)}".utf8)
        let field = JSONFieldFinder.invalidField(in: json) { bytes in
            decoded += bytes.count
            return true
        }
        #expect(field == nil && decoded <= 128 << 10)
        decoded = 0
        let deep = [UInt8](String(repeating: "{\"a\":", count: 10_000).utf8)
        _ = JSONFieldFinder.invalidField(in: deep) { bytes in
            decoded += bytes.count
            return false
        }
        let nested = deep + [UInt8]("1".utf8) + [UInt8](repeating: 0x7D, count: 10_000)
        let long = JSONFieldFinder.invalidField(in: nested) { bytes in
            decoded += bytes.count
            return false
        }
        #expect(decoded <= 128 << 10 && (long?.utf8.count ?? 0) < 256)
    }

    @Test("Random changes of an object crash neither decoder nor search")
    func random() {
        var generator = SystemRandomNumberGenerator()
        let seed = generator.next()
        var random = SeededGenerator(state: seed)
        let valid = [UInt8](
            #"{"name":"a","messageType":[{"name":"M","field":[{"number":1,"label":"LABEL_OPTIONAL"}]}]}"#
                .utf8)
        let bytes = [UInt8](#"{}[]":,\1e-tnf@ "#.utf8)
        for _ in 0..<2000 {
            var json = valid
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let index = Int.random(in: 0..<json.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: json.remove(at: index)
                case 1: json.insert(bytes.randomElement(using: &random) ?? 0, at: index)
                default: json[index] = UInt8.random(in: 0...255, using: &random)
                }
            }
            var buffer = ByteBuffer()
            do throws(WireFailure) {
                try JSONMessages.append(json, of: File.self, to: &buffer)
            } catch { #expect(error.code == .invalidArgument, "seed \(seed)") }
        }
    }
}

private struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 29
    }
}
