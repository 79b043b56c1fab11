@echo off
rem Builds, runs and tests on Windows. Usage: build.cmd [run^|compare^|records^|test^|bench^|crashtest^|fuzz^|notebooks^|pack^|build] [arguments]
setlocal
cd /d "%~dp0"
set DOTNET_CLI_TELEMETRY_OPTOUT=1
set DOTNET_NOLOGO=1
if not defined OMP_NUM_THREADS set OMP_NUM_THREADS=1
where dotnet >nul 2>nul || (echo build.cmd: the .NET SDK 10 is missing: install it, see global.json for the version.& exit /b 1)

set command=%1
set rest=
:collect
shift
if "%~1"=="" goto dispatch
set rest=%rest% %1
goto collect

:dispatch
if "%command%"=="run" (
    rem Fashion-MNIST is a Debian package; on Windows give its four .gz files with --data FOLDER.
    dotnet run --project src\Microsoft.ML.ForwardSampling.Tool -c Release -- quick-start%rest%
    exit /b
)
if "%command%"=="compare" (
    dotnet run --project src\Microsoft.ML.ForwardSampling.Tool -c Release -- compare%rest%
    exit /b
)
if "%command%"=="records" (
    dotnet run --project src\Microsoft.ML.ForwardSampling.Tool -c Release -- records%rest%
    exit /b
)
if "%command%"=="test" (
    dotnet test --solution ForwardSampling.slnx -c Release%rest%
    exit /b
)
if "%command%"=="bench" (
    dotnet run --project bench -c Release --%rest%
    exit /b
)
if "%command%"=="crashtest" (
    dotnet run --project test\RecordStress -c Release -- crashtest%rest%
    exit /b
)
if "%command%"=="fuzz" (
    dotnet run --project test\RecordStress -c Release -- fuzz%rest%
    exit /b
)
if "%command%"=="pack" (
    dotnet pack src\Microsoft.ML.ForwardSampling.Records -c Release -o packages%rest% || exit /b 1
    dotnet pack src\Microsoft.ML.ForwardSampling -c Release -o packages%rest% || exit /b 1
    dotnet pack src\Microsoft.ML.ForwardSampling.PostgreSql -c Release -o packages%rest% || exit /b 1
    dotnet pack src\Microsoft.ML.ForwardSampling.Tool -c Release -o packages%rest%
    exit /b
)
if "%command%"=="notebooks" (
    dotnet run --project test\NotebookRunner -c Release -- write src\Examples\notebooks
    exit /b
)
if "%command%"=="build" (
    dotnet build ForwardSampling.slnx -c Release%rest%
    exit /b
)
echo Usage: build.cmd run^|compare^|records^|test^|bench^|crashtest^|fuzz^|notebooks^|pack^|build [arguments]
exit /b 2
