import Testing

@testable import RocketToolKit

@Suite struct JSONElementsTests {
    @Test("An array is split at the commas of its first level")
    func split() {
        #expect(JSONElements.split(#"[{"a":1},{"b":[1,2]}]"#) == [#"{"a":1}"#, #"{"b":[1,2]}"#])
        #expect(JSONElements.split(" [ 1 , [2,3] ] \n") == [" 1 ", " [2,3] "])
        #expect(JSONElements.split("[]") == [] && JSONElements.split("[ ]") == [])
        #expect(JSONElements.split("[1,]") == ["1", ""])
    }

    @Test("Brackets and commas in strings are text, also behind escaped quotation marks")
    func strings() {
        #expect(
            JSONElements.split(#"["a,]}","\"],[","\\"]"#) == [#""a,]}""#, #""\"],[""#, #""\\""#])
        #expect(JSONElements.split("[\"ä,é\"]") == ["\"ä,é\""])
    }

    @Test(
        "What is no array is none",
        arguments: [
            "", " ", "[", "]", "{}", "[1", "[1]]", "[1][2]", "[\"]", "[{]", "{[]}", "[1] x",
        ])
    func wrong(text: String) {
        #expect(JSONElements.split(text) == nil)
    }
}
