import RocketDynamic
import Testing

@Suite struct DynamicMessageTests {
    private let schema: DynamicSchema

    init() throws { schema = try Schemas.shop() }

    private func roundTrip(
        _ json: String, options: DynamicSchema.JSONOptions = .init()
    ) throws -> String {
        try schema.decode(
            schema.encode(json: json, as: "shop.v1.Want"), as: "shop.v1.Want", options: options)
    }

    private func refusal(_ json: String) -> String {
        do {
            _ = try schema.encode(json: json, as: "shop.v1.Want")
            return "accepted"
        } catch { return "\(error)" }
    }

    @Test(
        "Every kind of field goes to bytes and back",
        arguments: [
            #"{"i32":-2147483648}"#, #"{"i64":"-9223372036854775808"}"#,
            #"{"u32":4294967295}"#, #"{"u64":"18446744073709551615"}"#, #"{"s32":-5}"#,
            #"{"s64":"-6"}"#, #"{"f32":7}"#, #"{"f64":"8"}"#, #"{"sf32":-9}"#,
            #"{"sf64":"-10"}"#, #"{"real":1.5}"#, #"{"long_real":-2.25}"#,
            #"{"long_real":"NaN"}"#, #"{"real":"-Infinity"}"#, #"{"flag":true}"#,
            #"{"text":"Grüße\n🍎"}"#, #"{"data":"AAEC/w=="}"#, #"{"kind":"TOOL"}"#,
            #"{"kind":77}"#, #"{"items":[{"name":"a","part":{"price":3}},{}]}"#,
            #"{"by_name":{"a":{"price":1},"b":{}}}"#, #"{"by_number":{"1":"x","2":"y"}}"#,
            #"{"number":0}"#, #"{"word":""}"#,
            #"{"any":{"@type":"type.googleapis.com/shop.v1.Item","price":4}}"#,
            #"{"any":{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1s"}}"#,
            #"{"at":"2026-11-30T01:02:03.500Z"}"#, #"{"wait":"-1.500s"}"#,
            #"{"tree":{"a":[1,null,"x",{"b":true}]}}"#, #"{"mask":"items,byName.a"}"#,
            #"{"maybe":"0"}"#, #"{"present":0}"#, #"{"numbers":[1,-2,3]}"#, "{}",
        ])
    func kinds(json: String) throws { #expect(try roundTrip(json) == json) }

    @Test("Names are those of the .proto file, or lowerCamelCase; both are taken")
    func names() throws {
        var options = DynamicSchema.JSONOptions()
        #expect(try roundTrip(#"{"longReal":1}"#) == #"{"long_real":1}"#)
        options.usesJSONNames = true
        #expect(try roundTrip(#"{"long_real":1}"#, options: options) == #"{"longReal":1}"#)
    }

    @Test("JSON is written on one line, or on several; with defaults, if that is asked for")
    func forms() throws {
        var options = DynamicSchema.JSONOptions()
        options.isPretty = true
        #expect(try roundTrip(#"{"i32":1}"#, options: options) == "{\n \"i32\": 1\n}")
        options = .init()
        options.includesDefaults = true
        #expect(
            try schema.decode([], as: "shop.v1.Item", options: options)
                == #"{"name":"","price":0}"#)
    }

    @Test("Equal messages have equal JSON, in whatever order their bytes are")
    func order() throws {
        let json = #"{"by_number":{"3":"c","1":"a","2":"b"},"flag":true,"i32":5}"#
        let sorted = #"{"i32":5,"flag":true,"by_number":{"1":"a","2":"b","3":"c"}}"#
        #expect(try roundTrip(json) == sorted)
        // flag before i32.
        #expect(
            try schema.decode([0x68, 1, 8, 5], as: "shop.v1.Want") == #"{"i32":5,"flag":true}"#)
    }

    @Test(
        "An error names the field, and what was expected there",
        arguments: [
            (#"{"i32":"five"}"#, #"i32: expected int32, found "five""#),
            (#"{"i32":1.5}"#, "i32: expected int32, found 1.5"),
            (#"{"u64":-1}"#, "u64: expected uint64, found -1"),
            (#"{"flag":1}"#, "flag: expected bool, found 1"),
            (#"{"text":5}"#, "text: expected string, found 5"),
            (#"{"data":"!"}"#, #"data: expected bytes, found "!""#),
            (#"{"text":{}}"#, "text: expected a value, found an object"),
            (
                #"{"kind":"TOLL"}"#,
                "kind: expected shop.v1.Kind, which is one of UNKNOWN, FRUIT, TOOL; found "
                    + #""TOLL"; did you mean TOOL?"#
            ),
            (
                #"{"items":[{},{"price":"x"}]}"#,
                #"items[1].price: expected int32, found "x""#
            ),
            (#"{"items":[5]}"#, "items[0]: expected shop.v1.Item, found 5"),
            (
                #"{"items":[{"prise":1}]}"#,
                "items[0].prise: there is no such field in shop.v1.Item; did you mean price?"
            ),
            (
                #"{"items":[{"colour":1}]}"#,
                "items[0].colour: there is no such field in shop.v1.Item, whose fields are name, "
                    + "price, part"
            ),
            (#"{"by_number":{"x":"y"}}"#, #"by_number[0].key: expected int32, found "x""#),
            (
                #"{"number":1,"word":"x"}"#,
                "oneof field 'choice' is already set. Cannot set 'word'"
            ),
            (#"{"wait":"5"}"#, "wait: Illegal duration format; duration must end with 's'"),
            (#"{"any":{"price":4}}"#, "any: Missing @type for any field in shop.v1.Want"),
            (#"[1]"#, "expected an object"),
        ])
    func errors(json: String, text: String) { #expect(refusal(json) == text) }

    @Test(
        "What is no strict JSON is refused, with its place",
        arguments: [
            ("", "line 1, column 1: there is no JSON"),
            ("{", "line 1, column 2: expected a name in double quotes"),
            ("{'i32':1}", "line 1, column 2: expected a name in double quotes"),
            (#"{"i32":1,}"#, "line 1, column 10: expected a name in double quotes"),
            (#"{"i32" 1}"#, "line 1, column 8: expected ':'"),
            ("{\n \"i32\":1 \"u32\":2}", "line 2, column 10: expected ',' or '}'"),
            (#"{"i32":1} x"#, "line 1, column 11: something follows the JSON"),
            (#"{"i32":1,"i32":2}"#, "line 1, column 10: the name \"i32\" occurs twice"),
            (#"{"i32":01}"#, "line 1, column 9: a number begins with no zero"),
            (#"{"text":"a"#, "line 1, column 11: the string has no end"),
            (#"{"text":"\x"}"#, "line 1, column 11: there is no such escape"),
            (#"{"numbers":[1,2}"#, "line 1, column 16: expected ',' or ']'"),
            (#"{"i32":nul}"#, "line 1, column 8: expected a value"),
        ])
    func syntax(json: String, text: String) { #expect(refusal(json) == text) }

    @Test("JSON that is nested too deeply is refused, and does not overflow the stack")
    func depth() throws {
        let json = String(repeating: #"{"part":"#, count: 100_000)
        #expect(throws: DynamicMessageError.self) {
            try schema.encode(json: json, as: "shop.v1.Item")
        }
        func nested(_ depth: Int) -> String {
            String(repeating: #"{"part":"#, count: depth) + "{}"
                + String(repeating: "}", count: depth)
        }
        let bytes = try schema.encode(json: nested(90), as: "shop.v1.Item")
        // libprotobuf writes fewer levels than it reads.
        #expect(throws: DynamicMessageError.self) { try schema.decode(bytes, as: "shop.v1.Item") }
        let fewer = try schema.encode(json: nested(50), as: "shop.v1.Item")
        #expect(try schema.decode(fewer, as: "shop.v1.Item") == nested(50))
        #expect(throws: DynamicMessageError.self) {
            try schema.encode(json: nested(100), as: "shop.v1.Item")
        }
    }

    @Test("A message over the limit is refused in both directions")
    func limit() throws {
        var limits = DynamicSchemaLimits()
        limits.messageBytes = 10
        let schema = try Schemas.schema(
            ["shop.proto": Schemas.shopFile], of: "shop.proto", limits: limits)
        let eight = #"{"text":"12345678"}"#
        #expect(try schema.encode(json: eight, as: "shop.v1.Want").count == 10)
        #expect(throws: DynamicMessageError.self) {
            try schema.encode(json: #"{"text":"123456789"}"#, as: "shop.v1.Want")
        }
        #expect(throws: DynamicMessageError.self) {
            try schema.decode([UInt8](repeating: 0, count: 11), as: "shop.v1.Want")
        }
    }

    @Test("Bytes that are no such message, and types that are unknown, are errors")
    func badBytes() throws {
        #expect(throws: DynamicMessageError.self) {
            try schema.decode([0x8A], as: "shop.v1.Want")
        }
        // Text that is not UTF-8.
        #expect(throws: DynamicMessageError.self) {
            try schema.decode([0x72, 1, 0xFF], as: "shop.v1.Want")
        }
        #expect(throws: DynamicMessageError.self) { try schema.decode([], as: "shop.v1.None") }
        #expect(throws: DynamicMessageError.self) {
            try schema.encode(json: "{}", as: "shop.v1.None")
        }
        // A field that the schema does not know is left out.
        #expect(try schema.decode([0x98, 0x06, 1], as: "shop.v1.Item") == "{}")
    }

    @Test("Required fields of proto2 must be set in requests, and may be missing in replies")
    func required() throws {
        let file = """
            syntax = "proto2"; package old;
            message Old { required int32 id = 1; optional string name = 2 [default = "x"]; }
            """
        let schema = try Schemas.schema(["old.proto": file], of: "old.proto")
        #expect(
            throws: DynamicMessageError.self,
            performing: { try schema.encode(json: #"{"name":"a"}"#, as: "old.Old") })
        #expect(try schema.encode(json: #"{"id":1}"#, as: "old.Old") == [8, 1])
        #expect(try schema.decode([], as: "old.Old") == "{}")
    }
}
