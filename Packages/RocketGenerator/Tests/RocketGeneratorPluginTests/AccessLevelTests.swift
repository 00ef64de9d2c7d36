import Testing

@testable import RocketGeneratorPlugin

@Suite("Access levels")
struct AccessLevelTests {
    @Test("are read in upper and lower case")
    func areReadInUpperAndLowerCase() {
        #expect(AccessLevel(option: "Public") == .public)
        #expect(AccessLevel(option: "package") == .package)
        #expect(AccessLevel(option: "INTERNAL") == .internal)
        #expect(AccessLevel(option: "private") == nil)
        #expect(AccessLevel(option: "") == nil)
    }

    @Test("are written before a declaration, except for internal")
    func areWrittenBeforeADeclaration() {
        #expect(AccessLevel.allCases.map(\.modifier) == ["public ", "package ", ""])
    }
}
