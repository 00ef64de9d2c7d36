import RocketGeneratorPlugin
import RocketProgram
import Testing

@Test("All programs have the same version")
func oneVersion() {
    #expect(ServiceGenerator().version == RocketVersion.current)
}
