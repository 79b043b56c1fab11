@echo off
rem Builds, runs and tests on Windows. Usage: build.cmd [run^|compare^|profile^|records^|test^|bench^|crashtest^|fuzz^|notebooks^|pack^|build] [arguments]
setlocal disabledelayedexpansion
rem Paths in the arguments are the caller's.
set "caller=%CD%"
set "command=%~1"
rem All arguments as they were typed: taken one by one, they would break at commas and end at an empty one.
set rest=%*
cd /d "%~dp0"
set "root=%CD%"
set DOTNET_CLI_TELEMETRY_OPTOUT=1
set DOTNET_NOLOGO=1
if not defined OMP_NUM_THREADS set OMP_NUM_THREADS=1
where dotnet >nul 2>nul || (echo build.cmd: the .NET SDK 10 is missing: install it, see global.json for the version.& exit /b 1)
if not defined command goto usage
rem Delayed, so that quotes and signs in the arguments are not read again.
setlocal enabledelayedexpansion
set "rest=!rest:*%command%=!"

rem Fashion-MNIST is a Debian package; on Windows give its four .gz files with --data FOLDER.
if "%command%"=="run" set "command=quick-start"& goto tool
if "%command%"=="compare" goto tool
if "%command%"=="profile" goto tool
if "%command%"=="records" goto tool
if "%command%"=="test" (
    dotnet test --solution ForwardSampling.slnx -c Release!rest!
    exit /b
)
if "%command%"=="bench" (
    dotnet run --project bench -c Release -- !rest!
    exit /b
)
if "%command%"=="crashtest" echo build.cmd: crashtest kills writers of record files only. PostgreSQL and JetStream need Linux: ./build.sh crashtest 1>&2
if "%command%"=="crashtest" set "project=test\RecordStress"& set "name=RecordStress"& goto program
if "%command%"=="fuzz" goto fuzz
if "%command%"=="pack" (
    dotnet pack src\Microsoft.ML.ForwardSampling.Records -c Release -o packages!rest! || exit /b 1
    dotnet pack src\Microsoft.ML.ForwardSampling -c Release -o packages!rest! || exit /b 1
    dotnet pack src\Microsoft.ML.ForwardSampling.Hosting -c Release -o packages!rest! || exit /b 1
    dotnet pack src\Microsoft.ML.ForwardSampling.PostgreSql -c Release -o packages!rest! || exit /b 1
    dotnet pack src\Microsoft.ML.ForwardSampling.Tool -c Release -o packages!rest!
    exit /b
)
if "%command%"=="notebooks" (
    dotnet run --project test\NotebookRunner -c Release -- write src\Examples\notebooks
    exit /b
)
if "%command%"=="build" (
    dotnet build ForwardSampling.slnx -c Release!rest!
    exit /b
)
:usage
echo Usage: build.cmd run^|compare^|profile^|records^|test^|bench^|crashtest^|fuzz^|notebooks^|pack^|build [arguments]
exit /b 2

:tool
set "project=src\Microsoft.ML.ForwardSampling.Tool"
set "name=Microsoft.ML.ForwardSampling.Tool"
:program
dotnet build "%project%" -c Release -v quiet <nul 1>&2 || exit /b 1
cd /d "!caller!"
dotnet "!root!\artifacts\bin\%name%\release\%name%.dll" %command% !rest!
exit /b

:fuzz
for %%p in (RecordStress ModelStress) do (
    cd /d "!root!"
    dotnet build "test\%%p" -c Release -v quiet <nul 1>&2 || exit /b 1
    cd /d "!caller!"
    dotnet "!root!\artifacts\bin\%%p\release\%%p.dll" fuzz !rest! || exit /b 1
)
exit /b 0
