using Microsoft.ML.ForwardSampling.Tool.Compare;
using Microsoft.ML.ForwardSampling.Tool.Tests.Compare;
using Microsoft.ML.ForwardSampling.Tool.Tests.QuickStart;
using Microsoft.Playwright;

namespace Microsoft.ML.ForwardSampling.Tool.Tests.Pages;

/// <summary>The pages of compare and of the quick start, opened in Debian's chromium. Pictures of them stay under
/// artifacts/screenshots.</summary>
public sealed class BrowserTests(CompareRunTests.SmallRun compare, QuickStartTests.SmallRun quickStart, BrowserTests.Chromium chromium)
    : IClassFixture<CompareRunTests.SmallRun>, IClassFixture<QuickStartTests.SmallRun>, IClassFixture<BrowserTests.Chromium>
{
    private const int Narrow = 400;

    /// <summary>The least ratio of luminances that WCAG 2.2 asks of text, level AA.</summary>
    private const double LeastContrast = 4.5;

    public static TheoryData<string, ColorScheme, int> Views => new()
    {
        { "compare", ColorScheme.Light, 1280 },
        { "compare", ColorScheme.Dark, 1280 },
        { "compare", ColorScheme.Light, Narrow },
        { "quick-start", ColorScheme.Light, 1280 },
        { "quick-start", ColorScheme.Dark, 1280 },
        { "quick-start", ColorScheme.Dark, Narrow },
    };

    [Theory]
    [MemberData(nameof(Views))]
    public async Task Page_Opened_SaysNothingAsksForNothingAndReadsWell(string name, ColorScheme scheme, int width)
    {
        await using IBrowserContext context = await chromium.NewContextAsync(scheme, width);
        IPage page = await context.NewPageAsync();
        var said = new List<string>();
        var requests = new List<string>();
        page.Console += (_, message) => said.Add($"{message.Type}: {message.Text}");
        page.PageError += (_, error) => said.Add(error);
        page.Request += (_, request) => requests.Add(request.Url);
        await page.GotoAsync(Url(name));
        await page.ScreenshotAsync(new()
        {
            Path = Screenshot($"{name}-{scheme}-{width}".ToLowerInvariant()),
            FullPage = true,
        });

        Assert.Empty(said);
        Assert.Equal([Url(name)], requests);
        // The page itself never scrolls sideways: wide tables and plots do, each in its own frame.
        Assert.Equal(width, await page.EvaluateAsync<int>("document.scrollingElement.scrollWidth"));
        Assert.Empty(await page.EvaluateAsync<string[]>("""
            [...document.querySelectorAll('h1, h2, p, th, td, figcaption, svg text')].filter(e => e.checkVisibility()).flatMap(e => {
              const style = getComputedStyle(e), svg = e.ownerSVGElement;
              const scale = svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;
              const size = parseFloat(style.fontSize) * scale;
              return size < 12 ? [`${size} px: ${e.textContent}`] : [];
            })
            """));
        Assert.Empty(await page.EvaluateAsync<string[]>("""
            least => {
              const light = text => { const c = text.match(/[\d.]+/g).slice(0, 3).map(v => v / 255)
                .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2]; };
              const ground = light(getComputedStyle(document.body).backgroundColor);
              return [...document.querySelectorAll('h1, h2, p, th, td, figcaption, svg text')].flatMap(e => {
                const ink = light(getComputedStyle(e)[e.ownerSVGElement ? 'fill' : 'color']);
                const ratio = (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
                return ratio < least ? [`${ratio.toFixed(2)}: ${e.textContent}`] : [];
              });
            }
            """, LeastContrast));
        Assert.Equal(scheme == ColorScheme.Dark, await page.EvaluateAsync<bool>(
            "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).every(value => value < 64)"));
    }

    [Fact]
    public async Task Table_Narrow_FirstColumnStaysWhileTheOthersScroll()
    {
        await using IBrowserContext context = await chromium.NewContextAsync(ColorScheme.Light, Narrow);
        IPage page = await context.NewPageAsync();
        await page.GotoAsync(Url("compare"));
        ILocator frame = page.Locator(".scroll").First;
        await frame.FocusAsync();
        double before = (await frame.Locator("tbody th").First.BoundingBoxAsync())!.X;
        double cell = (await frame.Locator("tbody td").First.BoundingBoxAsync())!.X;
        for (int i = 0; i < 5; i++)
            await page.Keyboard.PressAsync("ArrowRight");
        await page.WaitForFunctionAsync("document.querySelector('.scroll').scrollLeft > 50");
        Assert.Equal(before, (await frame.Locator("tbody th").First.BoundingBoxAsync())!.X);
        Assert.True((await frame.Locator("tbody td").First.BoundingBoxAsync())!.X < cell);
        Assert.InRange((await frame.Locator("tbody th").First.BoundingBoxAsync())!.Width, 40, Narrow / 2);
    }

    [Fact]
    public async Task Plot_Keyboard_ReachesEachPointAndShowsWhatItIs()
    {
        await using IBrowserContext context = await chromium.NewContextAsync(ColorScheme.Light, 1280);
        IPage page = await context.NewPageAsync();
        await page.GotoAsync(Url("quick-start"));
        int points = await page.Locator("svg").First.Locator("circle").CountAsync();
        Assert.True(points > 4);
        var seen = new HashSet<string>();
        for (int i = 0; i < points; i++)
        {
            await page.Keyboard.PressAsync("Tab");
            // The label of the point in focus, and the one text that is shown beside it.
            string[] found = await page.EvaluateAsync<string[]>("""
                [document.activeElement.tagName, document.activeElement.getAttribute('aria-label'),
                  ...[...document.querySelectorAll('.tip')].filter(e => e.checkVisibility()).map(e => e.textContent)]
                """);
            Assert.Equal(["circle", found[1], found[1]], found);
            seen.Add(found[1]);
            Assert.Empty(await page.EvaluateAsync<string[]>("""
                [...document.querySelectorAll('.tip')].filter(e => e.checkVisibility()).filter(e => {
                  const tip = e.getBoundingClientRect(), plot = e.ownerSVGElement.getBoundingClientRect();
                  return tip.left < plot.left || tip.right > plot.right || tip.top < plot.top;
                }).map(e => e.textContent)
                """));
        }

        Assert.Equal(points, seen.Count);
        await page.ScreenshotAsync(new() { Path = Screenshot("quick-start-focus") });
    }

    [Fact]
    public async Task Pictures_OfFashionMnist_AreTheRowsPixels()
    {
        await using IBrowserContext context = await chromium.NewContextAsync(ColorScheme.Light, 1280);
        IPage page = await context.NewPageAsync();
        await page.GotoAsync(Url("quick-start"));
        // The stripe of a row's class is brighter than all else (TinyFashionMnist): the browser's own decoder must find it there.
        double[][] found = await page.EvaluateAsync<double[][]>("""
            async () => Promise.all([...document.querySelectorAll('.pictures image')].map(async element => {
              const image = new Image();
              image.src = element.getAttribute('href');
              await image.decode();
              const canvas = Object.assign(document.createElement('canvas'), { width: image.naturalWidth, height: image.naturalHeight });
              const context = canvas.getContext('2d');
              context.drawImage(image, 0, 0);
              const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
              const line = y => { let sum = 0; for (let x = 0; x < canvas.width; x++) sum += data[4 * (y * canvas.width + x)]; return sum; };
              const stripes = [...Array(canvas.height / 2).keys()].map(i => line(2 * i) + line(2 * i + 1));
              return [canvas.width, canvas.height, stripes.indexOf(Math.max(...stripes)) - 2];
            }))
            """);
        SelectionExample[] rows = [.. quickStart.Results.Runs.Single(run => run.Examples is not null).Examples!.Rows];
        IReadOnlyList<string> classes = quickStart.Results.Classes;
        Assert.Equal(rows.Select(row => new double[] { 28, 28, classes.ToList().IndexOf(row.Label) }), found);
        Assert.InRange(rows.Length, 20, 60);
    }

    private static string Screenshot(string name) => Path.Combine(RepositoryFolder.Root, "artifacts", "screenshots", $"{name}.png");

    private string Url(string name) => new Uri(name == "compare" ? compare.Html : quickStart.Html).AbsoluteUri;

    /// <summary>One browser for all tests.</summary>
    public sealed class Chromium : IAsyncLifetime
    {
        private IPlaywright? _playwright;
        private IBrowser? _browser;

        public async ValueTask InitializeAsync()
        {
            const string Program = "/usr/bin/chromium";
            Assert.True(File.Exists(Program), $"{Program} is missing: apt-get install chromium, as ./build.sh test does.");
            _playwright = await Playwright.Playwright.CreateAsync();
            _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = Program, Args = ["--no-sandbox"] });
        }

        public Task<IBrowserContext> NewContextAsync(ColorScheme scheme, int width) => _browser!.NewContextAsync(new()
        {
            ColorScheme = scheme,
            ViewportSize = new() { Width = width, Height = 800 },
            // Whatever would leave the page fails, and is seen.
            Offline = true,
        });

        public async ValueTask DisposeAsync()
        {
            if (_browser is not null)
                await _browser.DisposeAsync();
            _playwright?.Dispose();
        }
    }
}
