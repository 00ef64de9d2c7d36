import RocketGeneratorPlugin
import RocketProgram
import Testing

@Test("All programs are of one version")
func oneVersion() {
    #expect(ServiceGenerator().version == RocketVersion.current)
}
